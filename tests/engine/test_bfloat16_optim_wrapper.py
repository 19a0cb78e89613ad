import pytest
import torch
from mmseg.registry import OPTIM_WRAPPERS
from torch import nn

from box2seg_mmseg.engine import BFloat16OptimWrapper


def _wrapper(model, **kwargs):
    return OPTIM_WRAPPERS.build(
        dict(
            type='BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
            **kwargs,
        )
    )


def _set_cpu(monkeypatch, machine, **answers):
    monkeypatch.setattr('platform.machine', lambda: machine)
    for name, module in (
        ('_is_mkldnn_bf16_supported', torch.ops.mkldnn),
        ('_is_avx512_bf16_supported', torch.cpu),
        ('_is_amx_tile_supported', torch.cpu),
    ):
        answer = answers.get(name, False)
        monkeypatch.setattr(
            module, name, lambda answer=answer: answer, raising=False
        )


@pytest.mark.parametrize('emulate', [True, False])
@pytest.mark.parametrize(
    ('machine', 'answers', 'has_instructions'),
    [
        ('x86_64', [], False),
        # AVX-512 without bfloat16: mkldnn says yes and emulates.
        ('x86_64', ['_is_mkldnn_bf16_supported'], False),
        ('x86_64', ['_is_avx512_bf16_supported'], True),
        ('AMD64', ['_is_amx_tile_supported'], True),
        ('aarch64', ['_is_mkldnn_bf16_supported'], True),
        ('aarch64', [], False),
    ],
)
def test_autocast_where_it_is_fast_or_wanted(
    monkeypatch, machine, answers, has_instructions, emulate
):
    _set_cpu(monkeypatch, machine, **dict.fromkeys(answers, True))
    model = nn.Linear(3, 2)
    wrapper = _wrapper(model, emulate=emulate)
    assert isinstance(wrapper, BFloat16OptimWrapper)
    with wrapper.optim_context(model):
        out = model(torch.ones(1, 3))
    fast = has_instructions or emulate
    assert out.dtype == (torch.bfloat16 if fast else torch.float32)
    before = model.weight.clone()
    wrapper.update_params(out.float().sum())
    assert model.weight.dtype == torch.float32
    assert not torch.equal(model.weight, before)


def test_the_fall_back_to_float32_is_told_once(monkeypatch):
    told = []
    _set_cpu(monkeypatch, 'x86_64')
    monkeypatch.setattr(
        'box2seg_mmseg.engine.optim_wrappers.bfloat16_optim_wrapper.print_log',
        lambda text, **_: told.append(text),
    )
    model = nn.Linear(3, 2)
    wrapper = _wrapper(model)
    for _ in range(2):
        with wrapper.optim_context(model):
            model(torch.ones(1, 3))
    assert len(told) == 1 and 'training in float32' in told[0]


def test_a_torch_without_mkldnn_trains_in_float32(monkeypatch):
    """As on a Mac, where its operators are not there either."""
    _set_cpu(monkeypatch, 'arm64')
    monkeypatch.delattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported')
    monkeypatch.setattr('torch.backends.mkldnn.is_available', lambda: False)
    model = nn.Linear(3, 2)
    with _wrapper(model).optim_context(model):
        assert model(torch.ones(1, 3)).dtype == torch.float32
