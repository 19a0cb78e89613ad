"""Repairs of faults in mmengine and mmseg, each with its reason."""

import atexit
from typing import Any

from mmengine.device import get_device
from mmengine.dist import utils as dist_utils
from torch import distributed


def repair_gloo_on_cpu() -> None:
    """Let ``--launcher pytorch`` start processes on a machine without a GPU.

    mmengine calls ``torch.cuda.set_device`` with every backend, which raises
    an error if there is no CUDA. With the backend ``gloo`` on a machine that
    has only CPUs, this leaves the call out, and destroys the process group
    at exit, because a process that ends without this can abort. Everywhere
    else mmengine's function runs unchanged.
    """
    original = dist_utils._init_dist_pytorch

    def init(backend: str, **kwargs: Any) -> None:
        if backend != 'gloo' or get_device() != 'cpu':
            original(backend, **kwargs)
            return
        kwargs.pop('init_backend', None)  # gloo is torch's
        distributed.init_process_group(backend=backend, **kwargs)
        atexit.register(distributed.destroy_process_group)

    dist_utils._init_dist_pytorch = init


repair_gloo_on_cpu()
