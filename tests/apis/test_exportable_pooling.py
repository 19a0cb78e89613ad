import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from box2seg_mmseg.apis.exportable_pooling import (
    ExportablePooling,
    pool_by_matrices,
)

SIDES = st.integers(1, 70)
BINS = st.integers(1, 12)
PAIRS = st.tuples(st.none() | BINS, st.none() | BINS)


@given(SIDES, SIDES, BINS | PAIRS, st.integers(0, 2**32 - 1))
def test_it_equals_torchs(height, width, bins, seed):
    """Also with more bins than pixels."""
    noise = torch.Generator().manual_seed(seed)
    x = torch.rand(2, 3, height, width, generator=noise)
    want = F.adaptive_avg_pool2d(x, bins)
    got = pool_by_matrices(x, bins)
    assert got.shape == want.shape and got.dtype == want.dtype
    assert (got - want).abs().max() <= 1e-6
    want = F.adaptive_avg_pool2d(x.double(), bins)
    assert (pool_by_matrices(x.double(), bins) - want).abs().max() <= 1e-14


def test_modules_and_functions_change_inside_the_block_only(monkeypatch):
    x = torch.rand(1, 2, 7, 9)
    module = nn.AdaptiveAvgPool2d((2, 3))
    calls = []

    def pool(input, output_size):
        calls.append(output_size)
        return input

    monkeypatch.setattr(
        'box2seg_mmseg.apis.exportable_pooling.pool_by_matrices', pool
    )
    with ExportablePooling():
        assert module(x) is x
        assert F.adaptive_avg_pool2d(x, output_size=4) is x
    assert calls == [(2, 3), 4]
    assert module(x).shape == (1, 2, 2, 3)
    assert len(calls) == 2
