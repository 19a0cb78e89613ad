"""What a training step, a prediction and a batch of data cost."""

import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from box2seg_mmseg.structures import BoxRegions


@dataclass
class Cost:
    """Costs of a model.

    Args:
        step: Seconds of a training step: forward, losses and backward.
        predict: Seconds of the prediction of one image.
        activations: MiB of the tensors that a step keeps for its backward
            pass.
        peak: On a GPU, MiB by which a step exceeds what the model holds.
        waits: On a GPU, how often a step waits for the device.
    """

    step: float = 0.0
    predict: float = 0.0
    activations: float = 0.0
    peak: float = 0.0
    waits: int = 0


@dataclass
class Measurement:
    """How models are measured, on random images with three boxes each.

    Args:
        device: Torch device, such as ``'cpu'`` or ``'cuda'``.
        dtype: Of the forward pass: float32, or bfloat16 or float16 under
            autocast. Losses are not scaled, which changes no cost.
        size: Height and width of the images in pixels.
        batch_size: Images in a step.
        rounds: Timed turns, after one that does not count. The models take
            turns, so that a change of the machine's speed affects all.
    """

    device: str = 'cpu'
    dtype: torch.dtype = torch.float32
    size: tuple[int, int] = (512, 512)
    batch_size: int = 4
    rounds: int = 7

    def measure(self, models: Mapping[str, ConfigDict]) -> dict[str, Cost]:
        """Measure models, given by name and config; medians of the times."""
        init_default_scope('mmseg')
        generator = torch.Generator().manual_seed(0)
        shape = (self.batch_size, 3, *self.size)
        self._images = torch.randn(shape, generator=generator).to(self.device)
        built = {name: self._build(cfg) for name, cfg in models.items()}
        costs = {name: Cost() for name in models}
        num_classes = max(model.num_classes for model in built.values())
        self._samples = [
            _sample(self.size, num_classes).to(self.device)
            for _ in range(self.batch_size)
        ]
        for name, model in built.items():
            costs[name].activations = self._activations(model)
            if self._is_cuda:
                costs[name].peak = self._peak(model)
                costs[name].waits = count_waits(partial(self._step, model))
        times = {name: ([], []) for name in models}
        for turn in range(self.rounds + 1):
            for name, model in built.items():
                step = self._timed(partial(self._step, model))
                predict = self._timed(partial(self._predict, model))
                if turn > 0:
                    times[name][0].append(step)
                    times[name][1].append(predict)
        for name, (steps, predictions) in times.items():
            costs[name].step = statistics.median(steps)
            costs[name].predict = statistics.median(predictions)
        return costs

    @property
    def _is_cuda(self) -> bool:
        return torch.device(self.device).type == 'cuda'

    def _autocast(self) -> AbstractContextManager:
        return torch.autocast(
            torch.device(self.device).type,
            dtype=self.dtype,
            enabled=self.dtype != torch.float32,
        )

    def _build(self, cfg: ConfigDict) -> nn.Module:
        torch.manual_seed(0)
        # One process needs no SyncBN, which a CPU does not have.
        return revert_sync_batchnorm(MODELS.build(cfg)).to(self.device)

    def _forward(self, model: nn.Module) -> Tensor:
        model.train()
        with self._autocast():
            losses = model.loss(self._images, self._samples)
        return model.parse_losses(losses)[0]

    def _step(self, model: nn.Module) -> None:
        self._forward(model).backward()
        model.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _predict(self, model: nn.Module) -> None:
        model.eval()
        with self._autocast():
            model.predict(self._images[:1])

    def _timed(self, function: Callable[[], None]) -> float:
        start = time.perf_counter()
        function()
        if self._is_cuda:
            torch.cuda.synchronize(self.device)
        return time.perf_counter() - start

    def _activations(self, model: nn.Module) -> float:
        own = {
            value.untyped_storage().data_ptr()
            for value in (*model.parameters(), *model.buffers(), self._images)
        }
        kept: dict[int, int] = {}

        def keep(value: Tensor) -> Tensor:
            storage = value.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            return value

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda one: one):
            self._forward(model)
        return sum(kept.values()) / 2**20

    def _peak(self, model: nn.Module) -> float:
        self._step(model)  # libraries allocate their workspaces once
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        self._step(model)
        peak = torch.cuda.max_memory_allocated(self.device)
        return (peak - before) / 2**20


def count_waits(function: Callable[[], None]) -> int:
    """How often a function waits for the GPU, as torch reports it."""
    mode = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        torch.cuda.set_sync_debug_mode('warn')
        try:
            function()
        finally:
            torch.cuda.set_sync_debug_mode(mode)
    return sum('synchronizing CUDA' in str(one.message) for one in caught)


def loading_seconds(dataloader: ConfigDict, workers: int) -> float:
    """Seconds to load a batch, the mean of 20 after the workers have started.

    Args:
        dataloader: Config of a training data loader.
        workers: Processes that load.
    """
    dataloader = deepcopy(dataloader)
    dataloader.update(num_workers=workers, persistent_workers=True)
    batches = iter(Runner.build_dataloader(dataloader, seed=0))
    for _ in range(4 * workers):  # twice what is loaded ahead
        next(batches)
    start = time.perf_counter()
    for _ in range(20):
        next(batches)
    return (time.perf_counter() - start) / 20


def _sample(size: tuple[int, int], num_classes: int) -> SegDataSample:
    """Three boxes of the first and the last class; two of them overlap."""
    height, width = size
    boxes = np.array([(1, 1, 4, 4), (3, 3, 7, 7), (5, 1, 7, 3)]) / 8
    boxes *= (width, height, width, height)
    labels = np.array([1, num_classes - 1, num_classes - 1])
    regions = BoxRegions.from_boxes(boxes, labels, size)
    label = torch.zeros(1, *size, dtype=torch.long)
    label[:, height // 4 : height // 2, width // 4 : width // 2] = 1
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=label)
    sample.set_data(dict(gt_box_regions=regions))
    return sample
