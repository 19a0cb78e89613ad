"""Adaptive average pooling that exports to ONNX for images of any size."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.overrides import TorchFunctionMode


def pool_by_matrices(
    input: Tensor, output_size: int | tuple[int | None, int | None]
) -> Tensor:
    """Do what ``F.adaptive_avg_pool2d`` does, by two matrix products.

    Bin ``i`` of ``k`` covers the positions from ``floor(i n / k)`` up to
    ``ceil((i + 1) n / k)`` of ``n``. The matrix of an axis holds the weights
    of these means, and its entries follow from ``n`` by arithmetic that ONNX
    has, so that ``n`` may change from image to image.

    Args:
        input: ``(N, C, H, W)``.
        output_size: Number of bins, or that of rows and of columns. None
            keeps the size of the axis.

    Returns:
        ``(N, C, rows, columns)``.
    """
    if not isinstance(output_size, tuple | list):
        output_size = (output_size, output_size)
    rows, columns = output_size
    if rows is not None:
        input = _bin_weights(input.shape[2], rows, input) @ input
    if columns is not None:
        input = input @ _bin_weights(input.shape[3], columns, input).T
    return input


def _bin_weights(length: int, bins: int, like: Tensor) -> Tensor:
    """The weight of each position in each bin, ``(bins, length)``."""
    i = torch.arange(bins, device=like.device)[:, None]
    position = torch.arange(length, device=like.device)
    start = i * length // bins
    end = ((i + 1) * length + bins - 1) // bins
    inside = (position >= start) & (position < end)
    return inside.to(like.dtype) / (end - start).to(like.dtype)


class ExportablePooling(TorchFunctionMode):
    """Replaces ``F.adaptive_avg_pool2d`` inside a ``with`` block.

    The exporter of torch fixes the bins to those of the image that it traces.
    Only calls inside the block change; no module is modified.
    """

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:
        """Call ``func``, or its replacement."""
        if func is F.adaptive_avg_pool2d:
            func = pool_by_matrices
        return func(*args, **(kwargs or {}))
