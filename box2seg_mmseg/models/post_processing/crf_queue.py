"""Dense CRFs that run while the network predicts the next image."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
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
# What waits for its labels, and the device that they go to.
Pending = tuple[SegDataSample, Future, torch.device]


class CRFQueue:
    """Gives predictions to a dense CRF and takes its labels back.

    By default a label is there when :meth:`refine` returns. With
    ``workers``, images of a batch are refined side by side; and within
    :meth:`deferred` :meth:`refine` returns at once, so that the CRF overlaps
    with the network.

    Args:
        workers: Processes; 0 refines in this one.
        **parameters: See :class:`DenseCRF`.

    Raises:
        ImportError: pydensecrf is not installed.
        ValueError: A parameter is out of its range.
    """

    def __init__(self, workers: int = 0, **parameters: float) -> None:
        if workers < 0:
            raise ValueError(f'workers must be >= 0. Got: {workers}')
        self.crf = DenseCRF(**parameters)
        self._workers = workers
        self._pool = None
        self._deferred: list[Pending] | None = None

    def refine(self, items: list[tuple[SegDataSample, Image, Tensor]]) -> None:
        """Replace the predictions of images.

        Args:
            items: For each image the sample whose ``pred_sem_seg`` is
                replaced, the photograph (a path or ``(H, W, 3)`` uint8), and
                the probabilities, ``(C, H, W)``.
        """
        pending = [
            (sample, self._submit(image, probs), probs.device)
            for sample, image, probs in items
        ]
        if self._deferred is None:
            finish(pending)
        else:
            self._deferred += pending

    @contextmanager
    def deferred(self) -> Iterator[list[Pending]]:
        """Do not wait for the labels of what is refined inside.

        Yields:
            The samples in work; :func:`finish` waits for them.
        """
        self._deferred = []
        try:
            yield self._deferred
        finally:
            self._deferred = None

    @telling_of_killed_workers()
    def _submit(self, image: Image, probs: Tensor) -> Future:
        probs = probs.detach()
        # The classes that can not win stay here: less to send.
        highest = probs.flatten(1).amax(1)
        classes = self.crf.candidates(highest.float().cpu().numpy())
        kept = probs[torch.from_numpy(classes).to(probs.device).long()]
        job = (self.crf, image, kept.float().cpu().numpy(), classes)
        if self._workers == 0:
            done: Future = Future()
            done.set_result(_refine(*job))
            return done
        if self._pool is None:
            self._pool = worker_pool(self._workers, __name__)
        return self._pool.submit(_refine, *job)


@telling_of_killed_workers()
def finish(pending: list[Pending]) -> None:
    """Wait for labels and put them into their samples."""
    for sample, future, device in pending:
        label = torch.from_numpy(future.result()).long()
        sample.pred_sem_seg = PixelData(data=label.to(device).unsqueeze(0))


def _refine(
    crf: DenseCRF, image: Image, probs: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    if not isinstance(image, np.ndarray):
        image = mmcv.imfrombytes(fileio.get(image))
    return classes[crf(image, probs)]
