"""What differs between the stacks, and repairs of faults, with reasons.

Everywhere else both stacks run the same code. See docs/install.md for the
stacks.
"""

import atexit
import gc
import pickle
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import torch
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.device import get_device
from mmengine.dist import utils as dist_utils
from mmengine.runner.base_loop import BaseLoop
from mmengine.runner.checkpoint import load_from_local
from mmengine.utils import mkdir_or_exist
from mmengine.version import __version__ as mmengine_version
from mmseg.evaluation import IoUMetric
from torch import distributed


def find_stock_configs() -> None:
    """Let configs inherit ``'mmseg::...'`` on the onedl stack, too.

    mmengine looks for the configs in the distribution ``mmsegmentation``,
    which has another name there. Given a module, it takes the module's
    folder.
    """
    try:
        distribution(MODULE2PACKAGE['mmseg'])
    except PackageNotFoundError:
        MODULE2PACKAGE['mmseg'] = 'mmseg'


def after_skipped_batches(
    loop: BaseLoop | None, skipped: int, function: Callable[[], None]
) -> None:
    """Call a function once a resumed training is past the batches it skips.

    onedl-mmengine skips them without loading them, so there the function is
    called now. mmengine 0.10 loads them, which draws random numbers, so there
    it is called before the first batch after them is loaded.

    Args:
        loop: The training loop, in ``before_train_epoch``.
        skipped: How many batches an iteration-based loop skips.
        function: Called once.
    """
    batches = getattr(loop, 'dataloader_iterator', None)
    if batches is None or hasattr(batches, 'skip_iter'):
        function()
        return

    def iterate() -> Iterator:
        for _ in range(skipped):
            yield next(batches)
        function()
        yield from batches

    loop.dataloader_iterator = iterate()


def check_mmengine_loads(path: str | Path) -> None:
    """Try whether mmengine can load a checkpoint, to explain why it cannot.

    Since torch 2.6, ``torch.load`` by default refuses the objects that
    mmengine stores beside the weights, and mmengine 0.10 does not ask for
    anything else. The tensors are not read (``'meta'``).

    Args:
        path: A checkpoint in a local file.

    Raises:
        RuntimeError: torch refuses the file.
    """
    try:
        load_from_local(str(path), map_location='meta')
    except pickle.UnpicklingError as error:
        reason = str(error).partition('WeightsUnpickler error: ')[2] or error
        raise RuntimeError(
            f'{path}: mmengine {mmengine_version} cannot load this checkpoint '
            f'with torch {torch.__version__}, which refuses files that could '
            'run code; if you trust the file, run the command again with the '
            'environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1. Got: '
            f'{str(reason).partition(" Please use")[0].splitlines()[0]}'
        ) from None


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
