import pytest
from mmengine.dist import utils as dist_utils

from box2seg_mmseg import compatibility


@pytest.fixture
def calls(monkeypatch):
    """Calls of what stands for mmengine's own function, under the repair."""
    found = []
    monkeypatch.setattr(
        dist_utils,
        '_init_dist_pytorch',
        lambda *args, **kwargs: found.append((args, kwargs)),
    )
    compatibility.repair_gloo_on_cpu()
    return found


@pytest.mark.parametrize('backend', ['nccl', 'gloo'])
def test_with_a_gpu_mmengine_starts_the_processes(calls, backend, monkeypatch):
    monkeypatch.setattr(compatibility, 'get_device', lambda: 'cuda')
    dist_utils.init_dist('pytorch', backend=backend, timeout=1.0)
    (((got,), options),) = calls
    assert got == backend
    assert options['init_backend'] == 'torch'
    assert options['timeout'].total_seconds() == 1


def test_nccl_without_a_gpu_names_the_options(calls, monkeypatch):
    monkeypatch.setattr(compatibility, 'get_device', lambda: 'cpu')
    with pytest.raises(RuntimeError, match='=gloo model_wrapper_cfg'):
        dist_utils.init_dist('pytorch')
    assert not calls
