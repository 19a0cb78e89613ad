"""What the dense CRF costs, plain and as the package runs it."""

import time
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.apis import init_model
from mmseg.registry import DATASETS
from tqdm import tqdm

from box2seg_mmseg.models.post_processing import CRFRefiner, DenseCRF
from box2seg_mmseg.models.segmentors import class_probs

_BATCH = 30  # images that are refined side by side


@dataclass(frozen=True)
class CRFCost:
    """Seconds an image, and what the pruning of classes changes.

    Args:
        images: Their number.
        network: Prediction of an image, without loading the data.
        plain: The CRF over all classes, one image after the other on one
            thread.
        pruned: The CRF over the classes that can win, likewise.
        parallel: The same in worker processes, by the clock.
        classes: Mean number of classes that can win.
        same: Share of pixels that have the plain CRF's label, in ``[0, 1]``.
    """

    images: int
    network: float
    plain: float
    pruned: float
    parallel: float
    classes: float
    same: float


def measure_crf(
    config: str | Path,
    checkpoint: str | Path,
    workers: int = 2,
    num_images: int | None = None,
    progress: bool = False,
) -> CRFCost:
    """Time the dense CRF on a model's predictions of its test split.

    Args:
        config: Config of any model.
        checkpoint: Its checkpoint.
        workers: Processes.
        num_images: Take this many images, spread evenly over the split;
            None takes all.
        progress: Show progress bars on stderr.

    Returns:
        The figures.
    """
    cfg = Config.fromfile(config)
    init_default_scope('mmseg')
    cfg.model.backbone.init_cfg = None
    cfg.model.test_cfg.pop('crf', None)
    model = init_model(cfg, str(checkpoint), device='cpu')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    step = max(1, len(dataset) // (num_images or len(dataset)))
    chosen = range(0, len(dataset), step)[:num_images]
    refiner, plain_crf = CRFRefiner(workers), DenseCRF(min_prob=0)

    seconds = dict.fromkeys(('network', 'plain', 'pruned', 'parallel'), 0.0)
    num_classes = same = pixels = 0
    batch = []
    for i in tqdm(chosen, unit='image', disable=not progress):
        data = pseudo_collate([dataset[i]])
        start = time.perf_counter()
        with torch.no_grad():
            (sample,) = model.test_step(data)
        seconds['network'] += time.perf_counter() - start
        image = mmcv.imread(sample.img_path)
        probs = class_probs(sample.seg_logits.data, model.out_channels)
        array = probs.numpy()
        start = time.perf_counter()
        label = plain_crf(image, array)
        seconds['plain'] += time.perf_counter() - start
        start = time.perf_counter()
        refiner.crf(image, array)
        seconds['pruned'] += time.perf_counter() - start
        num_classes += len(refiner.crf.candidates(array.max((1, 2))))
        batch.append((label, (sample, sample.img_path, probs)))
        if len(batch) < _BATCH and i != chosen[-1]:
            continue
        items = [item for _, item in batch]
        if pixels == 0:
            refiner.refine(items[:workers])  # starts the processes
        start = time.perf_counter()
        refiner.refine(items)
        seconds['parallel'] += time.perf_counter() - start
        for label, (sample, *_) in batch:
            found = sample.pred_sem_seg.data[0].numpy()
            same += np.count_nonzero(found == label)
            pixels += label.size
        batch.clear()
    n = len(chosen)
    return CRFCost(
        n,
        *(value / n for value in seconds.values()),
        num_classes / n,
        same / pixels,
    )
