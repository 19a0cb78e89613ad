import pytest
from mmengine.dist import utils as dist_utils
from mmseg.evaluation import IoUMetric

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


def test_each_process_makes_the_folder_of_its_pngs(monkeypatch, tmp_path):
    monkeypatch.setattr(
        'mmseg.evaluation.metrics.iou_metric.is_main_process', lambda: False
    )
    IoUMetric(output_dir=str(tmp_path / 'a/b'))
    assert (tmp_path / 'a/b').is_dir()
    assert IoUMetric().output_dir is None
