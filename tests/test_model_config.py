import pytest
from mmengine.config import Config
from torch import nn

from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.model_config import (
    dataset_of,
    prediction_pipeline,
    read_config,
)

LOAD = dict(type='LoadImageFromFile')


@pytest.fixture
def write(tmp_path):
    def config(text):
        path = tmp_path / 'config.py'
        path.write_text(text)
        return path

    return config


def test_types_are_plain_names(write):
    path = write(
        'from torch.nn import ReLU\n'
        'from mmseg.models import EncoderDecoder\n'
        'model = dict(type=EncoderDecoder, act=dict(type=ReLU),\n'
        "    heads=[dict(type='mmseg.FCNHead'), dict(type='mmcv.Own')])\n"
    )
    model = read_config(path).model
    assert model.type == 'EncoderDecoder'
    assert [head.type for head in model.heads] == ['FCNHead', 'mmcv.Own']
    assert model.act.type is nn.ReLU


def test_wrappers_of_datasets_are_looked_into(write):
    inner = dict(type='Inner', pipeline=[LOAD])
    several = dict(type='ConcatDataset', datasets=[inner, dict(type='B')])
    for dataset in (inner, several, dict(type='Repeat', dataset=several)):
        cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
        assert dataset_of(cfg, 'test_dataloader').type == 'Inner'
        assert prediction_pipeline(cfg, 'a.py') == [LOAD]


@pytest.mark.parametrize(
    'content', [{}, dict(test_dataloader=None), dict(test_dataloader={})]
)
def test_a_missing_test_pipeline_is_explained(content):
    cfg = Config(content)
    assert dataset_of(cfg, 'test_dataloader') is None
    with pytest.raises(UsageError, match=r'a\.py: set test_dataloader'):
        prediction_pipeline(cfg, 'a.py')
