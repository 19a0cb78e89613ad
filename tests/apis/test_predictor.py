from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from PIL import Image

from box2seg_mmseg.apis.predictor import Predictor

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


def test_attention_is_activated_as_in_training(tmp_path):
    """Softmax from sigmoid: odds against the background's odds of 1."""
    checkpoint, photograph = tmp_path / 'iter_1.pth', tmp_path / 'a.png'
    Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    ).save(photograph)
    model = MODELS.build(Config.fromfile(_config('box2seg')).model)
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    maps = {}
    for name in ('sigmoid', 'softmax'):
        config = tmp_path / f'{name}.py'
        config.write_text(
            f"_base_ = '{_config('box2seg')}'\n"
            'model = dict(decode_head=dict('
            f"attention_activation='{name}'))\n"
        )
        maps[name] = Predictor(config, checkpoint).attention(photograph)
    odds = maps['sigmoid'] / (1 - maps['sigmoid'])
    assert maps['softmax'].shape == (5, 40, 60)
    np.testing.assert_allclose(
        maps['softmax'], odds / (1 + odds.sum(0)), rtol=1e-4
    )
