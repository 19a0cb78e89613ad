"""Time and memory of the affinity loss, in two forms."""

import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from box2seg_mmseg.models.losses import affinity_loss


def measure_affinity(
    form: str, batch: int, side: int
) -> tuple[float, float, float]:
    """Cost of L_A, forward and backward, in a fresh process.

    Args:
        form: ``'linear'`` is this package's loss, ``'pairs'`` the formula
            with m x m matrices of m pixels.
        batch: Images, with 64 embedding channels and 21 classes.
        side: Height and width in pixels.

    Returns:
        The loss, the least seconds of three calls, and by how many MiB the
        peak memory of a call is above what the process held before (Linux
        only).
    """
    with get_context('spawn').Pool(1) as pool:
        return pool.apply(_affinity_cost, (form, batch, side))


def _affinity_cost(
    form: str, batch: int, side: int
) -> tuple[float, float, float]:
    function = dict(linear=affinity_loss, pairs=_affinity_by_pairs)[form]
    generator = torch.Generator().manual_seed(0)
    shape = (batch, 64, side, side)
    embeddings = torch.randn(shape, generator=generator, requires_grad=True)
    logits = torch.randn(batch, 21, side, side, generator=generator)
    probs = logits.softmax(1).requires_grad_()
    # The gradients take memory before the measurement starts.
    embeddings.grad = torch.zeros_like(embeddings)
    probs.grad = torch.zeros_like(probs)

    def run() -> Tensor:
        loss = function(embeddings, probs)
        loss.backward()
        return loss

    Path('/proc/self/clear_refs').write_text('5')  # resets the peak
    before = _status_mib('VmRSS')
    loss = run().item()
    peak = _status_mib('VmHWM') - before
    return loss, min(_timed(run) for _ in range(3)), peak


def _status_mib(key: str) -> float:
    """A memory figure of this process, in MiB."""
    lines = Path('/proc/self/status').read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f'{key}:'))
    return int(line.split()[1]) / 1024


def _affinity_by_pairs(embeddings: Tensor, probs: Tensor) -> Tensor:
    unit = F.normalize(embeddings, dim=1).flatten(2)
    flat = probs.flatten(2)
    cosine = unit.transpose(1, 2) @ unit
    alike = flat.transpose(1, 2) @ flat
    return (cosine - alike).square().mean()


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
