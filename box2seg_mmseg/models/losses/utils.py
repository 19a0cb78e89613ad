"""Helpers that the losses share."""

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Convert half precision to float32; float32 and float64 stay."""
    if values.dtype in (torch.float16, torch.bfloat16):
        return values.float()
    return values


def check_shape(name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    """Check that a tensor has the shape that the others imply.

    Raises:
        ValueError: It does not; the message names the tensor and both shapes.
    """
    if tuple(values.shape) != tuple(shape):
        raise ValueError(
            f'{name} must have shape {tuple(shape)}. '
            f'Got: {tuple(values.shape)}'
        )
