"""The device that networks run on."""

import torch

from .errors import UsageError


def check_device(device: str) -> str:
    """A torch device, such as ``'cuda:1'``, if this machine has it.

    Raises:
        UsageError: torch does not know the device or finds none of its kind.
    """
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise UsageError(
            f'{device}: torch knows no such device; use cpu, cuda or cuda:1'
        ) from None
    if kind == 'cuda' and not torch.cuda.is_available():
        raise UsageError(f'{device}: torch finds no CUDA device; use cpu')
    return device
