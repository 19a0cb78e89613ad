"""The dense CRF applied to predictions of a network."""

from pathlib import Path

import mmcv
import mmengine.fileio as fileio
import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from ...processes import telling_of_killed_workers, worker_pool
from .dense_crf import DenseCRF

Image = str | Path | np.ndarray  # a path, or (H, W, 3) uint8
_Job = tuple[DenseCRF, Image, np.ndarray, np.ndarray]


class CRFRefiner:
    """Replaces the predictions of a network by those of a dense CRF.

    Args:
        workers: Processes that refine images side by side; 0 refines in this
            process. They help only where several images are refined together,
            as in a batch or by ``tools/predict.py``.
        **parameters: See :class:`DenseCRF`.

    Raises:
        ImportError: pydensecrf is not installed.
        ValueError: A parameter is out of its range.
    """

    def __init__(self, workers: int = 0, **parameters: float) -> None:
        if workers < 0:
            raise ValueError(f'workers must be >= 0. Got: {workers}')
        self.crf = DenseCRF(**parameters)
        self.workers = workers
        self._pool = None

    @telling_of_killed_workers()
    def refine(self, items: list[tuple[SegDataSample, Image, Tensor]]) -> None:
        """Refine images, side by side if there are workers.

        Args:
            items: For each image the sample whose ``pred_sem_seg`` is
                replaced, the photograph (a path or ``(H, W, 3)`` uint8), and
                the probabilities, ``(C, H, W)``.
        """
        jobs = [self._job(image, probs) for _, image, probs in items]
        if self.workers == 0 or len(jobs) == 1:
            labels = map(_refine, jobs)
        else:
            if self._pool is None:
                self._pool = worker_pool(self.workers, __name__)
            labels = self._pool.map(_refine, jobs)
        for (sample, _, probs), label in zip(items, labels, strict=True):
            label = torch.from_numpy(label).long().to(probs.device)
            sample.pred_sem_seg = PixelData(data=label.unsqueeze(0))

    def _job(self, image: Image, probs: Tensor) -> _Job:
        probs = probs.detach()
        # Classes that cannot win are not sent to the worker.
        highest = probs.flatten(1).amax(1)
        classes = self.crf.candidates(highest.float().cpu().numpy())
        kept = probs[torch.from_numpy(classes).to(probs.device).long()]
        return self.crf, image, kept.float().cpu().numpy(), classes


def _refine(job: _Job) -> np.ndarray:
    crf, image, probs, classes = job
    if not isinstance(image, np.ndarray):
        image = mmcv.imfrombytes(fileio.get(image))
    return classes[crf(image, probs)]
