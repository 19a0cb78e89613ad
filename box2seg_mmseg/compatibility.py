"""What differs between the two stacks, each with its reason.

Both run the same code everywhere else. See docs/install.md for the stacks.
"""

import pickle
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.runner.base_loop import BaseLoop
from mmengine.runner.checkpoint import load_from_local
from mmengine.version import __version__ as mmengine_version


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
