"""Predict label maps of images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mmseg.structures import SegDataSample
from tqdm import tqdm

from ..label_maps import write_label_png
from .predictor import Predictor


def predict_folder(
    predictor: Predictor,
    images: Mapping[str, str | Path],
    folder: str | Path,
    crf_folder: str | Path | None = None,
    progress: bool = False,
) -> None:
    """Write ``folder/<image id>.png`` for each image.

    Args:
        predictor: The model.
        images: Path of each image by its id.
        folder: Folder of the network's label maps; created if needed.
        crf_folder: Folder of the label maps after the dense CRF, or None to
            leave the CRF out. The predictor must have a ``refiner``. As many
            images are refined side by side as the refiner has workers.
        progress: Show a progress bar on stderr.

    Raises:
        ValueError: A class does not fit into a PNG of 8 bits.
    """
    waiting = []
    bar = tqdm(images.items(), unit='image', disable=not progress)
    for i, (image_id, path) in enumerate(bar, start=1):
        sample, probs = predictor.predict(path)
        _write(folder, image_id, sample)
        if crf_folder is None:
            continue
        # The logits of a large photograph take a gigabyte.
        del sample.seg_logits
        waiting.append((image_id, (sample, str(path), probs)))
        refiner = predictor.refiner
        if len(waiting) >= refiner.workers or i == len(images):
            refiner.refine([item for _, item in waiting])
            for name, (refined, _, _) in waiting:
                _write(crf_folder, name, refined)
            waiting.clear()


def _write(folder: str | Path, image_id: str, sample: SegDataSample) -> None:
    path = Path(folder) / f'{image_id}.png'
    label_map = sample.pred_sem_seg.data[0].cpu().numpy()
    if label_map.max() > np.iinfo(np.uint8).max:
        raise ValueError(
            f'{path}: a PNG of labels holds classes up to 255. '
            f'Got: class {label_map.max()}'
        )
    write_label_png(path, label_map.astype(np.uint8))
