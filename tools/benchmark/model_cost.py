"""What Box2Seg costs over the stock network: step, memory, latency."""

import statistics
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from box2seg_mmseg.models.losses import affinity_loss
from box2seg_mmseg.structures import BoxRegions


def measure_models(
    models: Mapping[str, tuple[str | Path, dict]], rounds: int = 7
) -> dict[str, dict[str, float]]:
    """Time a training step and a prediction of each model, in one process.

    The models take turns, so that a change of the machine's speed affects
    all. The input is random; each image has boxes of two classes.

    Args:
        models: By name a config and options that change it.
        rounds: Timed turns, after one that does not count.

    Returns:
        By name the medians, in seconds, of ``step`` (forward, losses and
        backward of a batch of 8 crops in float32) and ``predict`` (one image
        of 320 x 240, the fastest of 5 in a turn).
    """
    init_default_scope('mmseg')
    built = {name: _build(*model) for name, model in models.items()}
    times: dict[str, dict[str, list[float]]] = {
        name: dict(step=[], predict=[]) for name in built
    }
    for turn in range(rounds + 1):
        for name, model in built.items():
            step = _timed(lambda model=model: _train_step(model))
            predict = min(
                _timed(lambda model=model: _predict(model)) for _ in range(5)
            )
            if turn > 0:
                times[name]['step'].append(step)
                times[name]['predict'].append(predict)
    return {
        name: {key: statistics.median(v) for key, v in values.items()}
        for name, values in times.items()
    }


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


def _build(config: str | Path, options: dict) -> nn.Module:
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.model.backbone.init_cfg = None
    torch.manual_seed(0)
    return MODELS.build(cfg.model)


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _train_step(model: nn.Module) -> None:
    model.train()
    height, width = model.data_preprocessor.size
    middle_y, middle_x = height // 2, width // 2
    boxes = np.array(
        [(0, 0, middle_x, middle_y), (middle_x, middle_y, width, height)]
    )
    regions = BoxRegions.from_boxes(boxes, np.array([1, 2]), (height, width))
    samples = []
    for _ in range(8):
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=regions.map.long()[None])
        sample.set_data(dict(gt_box_regions=regions))
        samples.append(sample)
    inputs = torch.randn(8, 3, height, width)
    total, _ = model.parse_losses(model.loss(inputs, samples))
    total.backward()
    model.zero_grad(set_to_none=True)


@torch.no_grad()
def _predict(model: nn.Module) -> None:
    model.eval()
    model.predict(torch.randn(1, 3, 240, 320))
