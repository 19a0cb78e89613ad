from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from box2seg_mmseg.models.prediction import Predictor

SCENES = Path(__file__).resolve().parents[2] / 'configs/scenes'


def _config(method):
    (path,) = SCENES.glob(f'{method}_*.py')
    return path


def test_a_checkpoint_that_leaves_parameters_at_random_is_refused(tmp_path):
    checkpoint = tmp_path / 'iter_1.pth'
    weights = MODELS.build(Config.fromfile(_config('grabcut')).model)
    weights = weights.state_dict()
    torch.save(dict(state_dict=weights), checkpoint)
    model = Predictor(_config('grabcut'), checkpoint)._model
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name]), name
    with pytest.raises(ValueError, match=r'iter_1\.pth: is no checkpoint of'):
        Predictor(_config('box2seg'), checkpoint)
    weights.pop('decode_head.conv_seg.bias')
    torch.save(dict(state_dict=weights), checkpoint)
    with pytest.raises(ValueError, match='conv_seg'):
        Predictor(_config('grabcut'), checkpoint)
