"""Repairs of faults in mmengine and mmseg, each with its reason."""

import atexit
import gc
from functools import wraps
from typing import Any

from mmengine.device import get_device
from mmengine.dist import utils as dist_utils
from mmengine.utils import mkdir_or_exist
from mmseg.evaluation import IoUMetric
from torch import distributed


def repair_gloo_on_cpu() -> None:
    """Let ``--launcher pytorch`` start processes on a machine without a GPU.

    mmengine calls ``torch.cuda.set_device`` with every backend, which raises
    an error if there is no CUDA. On a machine that has only CPUs this leaves
    the call out for the backend ``gloo``, and ends gloo's threads at exit,
    because a process that ends before them can abort. For another backend,
    which cannot work there, the error names the options to set. On other
    machines mmengine's function runs unchanged.
    """
    original = dist_utils._init_dist_pytorch

    def init(backend: str, **kwargs: Any) -> None:
        if get_device() != 'cpu':
            original(backend, **kwargs)
            return
        if backend != 'gloo':
            raise RuntimeError(
                f'the backend {backend} needs a GPU, and this machine has '
                'none; for several processes on CPUs add --cfg-options '
                'env_cfg.dist_cfg.backend=gloo '
                'model_wrapper_cfg.type=CPUDistributedDataParallel'
            )
        kwargs.pop('init_backend', None)  # only torch has gloo
        distributed.init_process_group(backend, **kwargs)
        atexit.register(_end_gloo)

    dist_utils._init_dist_pytorch = init


def _end_gloo() -> None:
    distributed.destroy_process_group()
    # The threads end with the last reference to the group, which the model's
    # wrapper holds, itself in a cycle of references.
    gc.collect()


def repair_output_folder() -> None:
    """Let each process make the folder of ``test.py --out``.

    mmseg's IoUMetric makes it in the first process only. Another process
    that is faster then fails to write its first PNG.
    """
    original = IoUMetric.__init__

    @wraps(original)
    def init(self: IoUMetric, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self.output_dir:
            mkdir_or_exist(self.output_dir)

    IoUMetric.__init__ = init


repair_gloo_on_cpu()
repair_output_folder()
