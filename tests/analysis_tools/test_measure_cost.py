"""The cost meter, on costs that are known."""

import re

import pytest
import torch
from mmengine.config import ConfigDict
from model_cost import Measurement

NETWORK = ConfigDict(
    type='EncoderDecoder',
    backbone=dict(type='MobileNetV2', widen_factor=0.25, out_indices=(1, 6)),
    decode_head=dict(
        type='FCNHead',
        in_channels=80,
        channels=4,
        num_convs=1,
        concat_input=False,
        num_classes=3,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
CONFIG = """
model = dict(
    type='EncoderDecoder',
    pretrained='absent.pth',
    backbone=dict(
        type='MobileNetV2', widen_factor=0.25, out_indices=(1, 6)),
    decode_head=dict(
        type='Box2SegHead',
        decoder=dict(
            type='UPerHead', in_channels=[8, 80], in_index=[0, 1],
            channels=8, num_classes=3, norm_cfg=dict(type='SyncBN')),
        branch_decoder=dict(channels=4)),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
"""


def test_kept_tensors_are_counted_once():
    """Of y = w x and y^2 a step keeps x, which is the input, and y."""
    measurement = Measurement(size=(64, 64), batch_size=2, rounds=1)
    costs = measurement.measure(dict(one=NETWORK, two=NETWORK))
    assert costs['one'].activations == costs['two'].activations > 0

    class Product(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def loss(self, images, samples):
            product = self.weight * images
            return product * product

        def parse_losses(self, value):
            return value.sum(), {}

    kept = measurement._activations(Product()) * 2**20
    assert kept == 4 * 2 * 3 * 64 * 64


def test_the_table_has_a_row_for_each_model(tmp_path, run_tool_here):
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)
    done = run_tool_here(
        'measure_cost.py', config, '--size', 64, '--batch-size', 2,
        *('--rounds', 1, '--dtype', 'bfloat16'),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = re.findall(r'^\| (\D.*?) \| (\d+) \| ([\d.]+) ', done.stdout, re.M)
    names = [name for name, *_ in rows]
    assert names == [
        'stock UPerHead',
        'Box2Seg, shared decoder',
        'Box2Seg, separate decoders',
        'the same, branches of full width',
    ]
    assert rows[0][2] == '1.00'


@pytest.mark.parametrize('text', ["model = dict(decode_head=dict(type='X'))"])
def test_another_head_is_refused(tmp_path, run_tool_here, text):
    config = tmp_path / 'config.py'
    config.write_text(text)
    done = run_tool_here('measure_cost.py', config)
    assert done.returncode == 2 and 'no Box2SegHead' in done.stderr
