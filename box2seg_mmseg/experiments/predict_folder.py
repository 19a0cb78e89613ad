"""The predictions of a model as folders of label maps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmseg.structures import SegDataSample
from tqdm import tqdm

from ..models.post_processing import CRFQueue
from ..models.prediction import Predictor
from ..pseudo_labels import write_label_png

_BATCH = 8  # images that the CRF refines side by side


def predict_folder(
    predictor: Predictor,
    images: Sequence[tuple[str, str | Path]],
    folder: str | Path,
    crf_folder: str | Path | None = None,
    workers: int = 1,
    progress: bool = False,
) -> None:
    """Write ``folder/<image_id>.png`` for each image.

    Args:
        predictor: The model.
        images: Id and path of each photograph.
        folder: For the label maps; made if absent.
        crf_folder: For what the dense CRF makes of them, or None.
        workers: Processes of the CRF.
        progress: Show a progress bar on stderr.
    """
    queue = CRFQueue(workers=workers) if crf_folder is not None else None
    refined = []
    bar = tqdm(images, unit='image', disable=not progress)
    for i, (image_id, path) in enumerate(bar, start=1):
        sample, probs = predictor.predict(path)
        _write(folder, image_id, sample)
        if queue is None:
            continue
        refined.append((image_id, (sample, str(path), probs)))
        if len(refined) == _BATCH or i == len(images):
            queue.refine([item for _, item in refined])
            for name, (result, _, _) in refined:
                _write(crf_folder, name, result)
            refined.clear()


def _write(folder: str | Path, image_id: str, sample: SegDataSample) -> None:
    label_map = sample.pred_sem_seg.data[0].cpu().numpy()
    write_label_png(
        Path(folder) / f'{image_id}.png', label_map.astype(np.uint8)
    )
