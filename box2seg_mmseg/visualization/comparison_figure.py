"""The layout of the supplement's Fig. 1: methods below the ground truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from .overlays import overlay_labels


def draw_comparison(
    path: str | Path,
    data_root: str | Path,
    image_ids: Sequence[str],
    predictions: Mapping[str, str | Path],
    image_suffix: str = '.jpg',
) -> None:
    """Draw a column for each image and a row for each method.

    The first row is the image under its ground truth, the others the image
    under a method's prediction, in PASCAL VOC's colours.

    Args:
        path: The PNG to write.
        data_root: A folder in the layout of VOCdevkit/VOC2012.
        image_ids: Names of the images, without suffix.
        predictions: By the title of its row, a folder of label maps
            ``<id>.png``.
        image_suffix: Suffix of the image files.
    """
    data_root = Path(data_root)
    rows = {'ground truth': data_root / 'SegmentationClass', **predictions}
    figure = Figure(figsize=(2 * len(image_ids), 1.7 * len(rows)))
    axes = figure.subplots(len(rows), len(image_ids), squeeze=False)
    for axes_row, (title, folder) in zip(axes, rows.items(), strict=True):
        axes_row[0].set_ylabel(title)
        for axis, image_id in zip(axes_row, image_ids, strict=True):
            image = data_root / 'JPEGImages' / f'{image_id}{image_suffix}'
            axis.imshow(_overlay(image, Path(folder) / f'{image_id}.png'))
            axis.set(xticks=[], yticks=[])
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=110)


def _overlay(image_path: Path, label_path: Path) -> np.ndarray:
    photograph = ImageOps.exif_transpose(Image.open(image_path))
    return overlay_labels(
        np.array(photograph.convert('RGB')), np.array(Image.open(label_path))
    )
