"""From the predictions of several methods to a page and a figure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..boxes import BoxAnnotations, boxed_pixels
from ..evaluation import LabelAreas
from ..label_maps import read_label_png
from ..visualization import (
    ImageRow,
    Panel,
    draw_boxes,
    overlay_heat,
    overlay_labels,
    read_photograph,
    write_comparison_page,
)


@dataclass(frozen=True, eq=False)
class _Judged:
    """An image with its scores, percent by method."""

    item: BoxAnnotations
    classes: list[int]
    scores: dict[str, float]

    @property
    def gain(self) -> float:
        first, *_, last = self.scores.values()
        return last - first


def compare_methods(
    annotations: Iterable[BoxAnnotations],
    mask_dir: str | Path,
    classes: Sequence[str],
    methods: Mapping[str, str | Path],
    page: str | Path,
    title: str,
    summary: str,
    pseudo_label_dir: str | Path | None = None,
    attention: Callable[[str], np.ndarray] | None = None,
    num_images: int = 12,
    progress: bool = False,
    total: int | None = None,
) -> tuple[dict[str, dict], list[str]]:
    """Judge methods and show where the last is better and worse.

    Args:
        annotations: The images and their boxes.
        mask_dir: Folder of the ground-truth masks.
        classes: Names of all classes, background first.
        methods: At least two, by name: a folder of label maps
            ``<image_id>.png``.
        page: The HTML file to write.
        title: Of the page.
        summary: Of what the page shows.
        pseudo_label_dir: Folder of pseudo labels to show; an image may have
            none.
        attention: From the path of an image to its attention maps,
            ``(L, H, W)`` in ``[0, 1]``.
        num_images: Show so many images of most gain of the last method over
            the first, and as many of most loss.
        progress: Show a progress bar on stderr.
        total: How many annotations there are, for the progress bar.

    Returns:
        The methods' reports, see :meth:`LabelAreas.report`; and the names of
        the images that are shown. An image that a method or its mask ignores
        altogether has no gain and is not shown.

    Raises:
        ValueError: There are fewer than two methods, or a label map has
            another size than its mask.
        FileNotFoundError: A mask or prediction is missing.
    """
    if len(methods) < 2:
        raise ValueError(
            f'comparing needs at least two methods. Got: {len(methods)}'
        )
    num_classes = len(classes)
    sums = {name: LabelAreas.nothing(num_classes) for name in methods}
    judged = []
    for item in tqdm(
        annotations, total=total, unit='image', disable=not progress
    ):
        mask = _label_map(mask_dir, item, num_classes)
        scores = {}
        for name, folder in methods.items():
            label_map = _label_map(folder, item, num_classes)
            try:
                areas = LabelAreas.of(label_map, mask, num_classes)
            except ValueError as error:
                raise ValueError(f'{name}, {item.image_id}: {error}') from None
            sums[name] += areas
            if areas.confusion.any():
                scores[name] = areas.report(classes)['mIoU']
        present = [c for c in np.unique(mask).tolist() if 0 < c < num_classes]
        if scores.keys() == methods.keys():
            judged.append(_Judged(item, present, scores))
    reports = {name: areas.report(classes) for name, areas in sums.items()}

    judged.sort(key=lambda image: -image.gain)
    shown = judged[:num_images]
    shown += [image for image in judged[-num_images:] if image not in shown]
    rows = [
        ImageRow(
            image.item.image_id,
            [classes[c] for c in image.classes],
            image.gain,
            list(
                _panels(
                    image,
                    _label_map(mask_dir, image.item, num_classes),
                    classes,
                    methods,
                    pseudo_label_dir,
                    attention,
                )
            ),
        )
        for image in tqdm(shown, unit='row', disable=not progress)
    ]
    write_comparison_page(page, title, summary, reports, rows)
    return reports, [row.image_id for row in rows]


def _panels(
    image: _Judged,
    mask: np.ndarray,
    classes: Sequence[str],
    methods: Mapping[str, str | Path],
    pseudo_label_dir: str | Path | None,
    attention: Callable[[str], np.ndarray] | None,
) -> Iterable[Panel]:
    item = image.item
    photograph = read_photograph(item.image_path)

    def panel(caption: str, label_map: np.ndarray) -> Panel:
        alt = f'{item.image_id}, {caption}: {_content(label_map, classes)}'
        return Panel(caption, alt, overlay_labels(photograph, label_map))

    names = ', '.join(classes[label] for label in item.labels) or 'none'
    yield Panel('photograph', f'{item.image_id}, photograph', photograph)
    yield panel('ground truth', mask)
    yield Panel(
        'boxes',
        f'{item.image_id}, boxes: {names}',
        draw_boxes(photograph, item.boxes, item.labels),
    )
    if pseudo_label_dir is not None:
        path = Path(pseudo_label_dir) / f'{item.image_id}.png'
        if path.exists():
            yield panel('pseudo label', read_label_png(path, len(classes)))
    maps = None if attention is None else attention(item.image_path)
    present = () if maps is None else sorted(set(item.labels.tolist()))
    for label in present:
        inside = boxed_pixels(item.boxes[item.labels == label], item.size)
        heat = maps[label - 1] * inside
        caption = f'attention, {classes[label]}'
        yield Panel(
            caption,
            f'{item.image_id}, {caption}: mean {heat[inside].mean():.2f} in '
            'its boxes',
            overlay_heat(photograph, heat),
        )
    for name, folder in methods.items():
        label_map = _label_map(folder, item, len(classes))
        yield panel(f'{name}, {image.scores[name]:.1f}', label_map)


def _content(label_map: np.ndarray, classes: Sequence[str]) -> str:
    """The classes of a label map and their shares, in words."""
    labels, counts = np.unique(label_map, return_counts=True)
    parts = [
        f'{classes[label]} {100 * count / label_map.size:.0f} %'
        for label, count in zip(labels.tolist(), counts, strict=True)
        if 0 < label < len(classes)
    ]
    return ', '.join(parts) or 'background alone'


def _label_map(
    folder: str | Path, item: BoxAnnotations, num_classes: int
) -> np.ndarray:
    return read_label_png(Path(folder) / f'{item.image_id}.png', num_classes)
