"""Helpers that the losses share."""

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Convert half precision to float32; float32 and float64 stay."""
    is_half = values.dtype in (torch.float16, torch.bfloat16)
    return values.float() if is_half else values


def check_shape(name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    """Raise a ValueError if a tensor does not have the shape."""
    found = tuple(values.shape)
    if found != shape:
        raise ValueError(f'{name} must have shape {shape}. Got: {found}')
