"""A figure that shows methods below the ground truth."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ..files import replacing
from .overlays import overlay_labels, read_photograph


def draw_comparison(
    path: str | Path,
    images: Mapping[str, str | Path],
    mask_dir: str | Path,
    predictions: Mapping[str, str | Path],
) -> None:
    """Draw a column for each image, a row for truth and for each method.

    This is the layout of Fig. 1 of the paper's supplement.

    Args:
        path: The PNG file to write.
        images: Paths of the photographs by their ids.
        mask_dir: Folder of the ground-truth masks, ``<id>.png``.
        predictions: Folders of label maps ``<id>.png`` by the titles of their
            rows.
    """
    rows = {'ground truth': mask_dir, **predictions}
    figure = Figure(figsize=(2 * len(images), 1.7 * len(rows)))
    axes = figure.subplots(len(rows), len(images), squeeze=False)
    for axes_row, (title, folder) in zip(axes, rows.items(), strict=True):
        axes_row[0].set_ylabel(title, parse_math=False)
        for axis, (image_id, image) in zip(
            axes_row, images.items(), strict=True
        ):
            label_map = np.array(Image.open(Path(folder) / f'{image_id}.png'))
            axis.imshow(overlay_labels(read_photograph(image), label_map))
            axis.set(xticks=[], yticks=[])
    figure.tight_layout(pad=0.3)
    with replacing(path) as part:
        figure.savefig(part, dpi=110, format='png')
