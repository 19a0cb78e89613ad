"""Compare the predictions of several methods on one page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations, boxed_pixels
from box2seg_mmseg.evaluation import LabelAreas
from box2seg_mmseg.label_maps import read_label_png
from box2seg_mmseg.visualization import (
    draw_boxes,
    overlay_heat,
    overlay_labels,
    read_photograph,
)

from .page import ImageRow, Panel, write_comparison_page


@dataclass(frozen=True, eq=False)
class _Judged:
    """An image with its mIoU by method, in percent."""

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
) -> tuple[dict[str, dict], list[str]]:
    """Evaluate methods and show where the last is better and worse.

    Args:
        annotations: The images and their boxes.
        mask_dir: Folder of the ground-truth masks.
        classes: Names of all classes, background first.
        methods: At least two; by name, a folder of label maps
            ``<image_id>.png``.
        page: The HTML file to write.
        title: Title of the page.
        summary: A sentence or two about what the page compares.
        pseudo_label_dir: Folder of pseudo labels to show; images without one
            are shown without it.
        attention: Maps the path of an image to its attention, ``(L, H, W)``
            in ``[0, 1]``.
        num_images: Number of images with the largest gain of the last method
            over the first to show, and as many with the largest loss.
        progress: Show a progress bar on stderr.

    Returns:
        The methods' reports (see :meth:`LabelAreas.report`) and the names of
        the images that are shown. Images that a method or the mask ignores
        completely have no gain and are not shown.

    Raises:
        ValueError: There are fewer than two methods, or a label map and its
            mask differ in size.
        FileNotFoundError: A mask or prediction is missing.
    """
    if len(methods) < 2:
        raise ValueError(
            f'comparing needs at least two methods. Got: {len(methods)}'
        )
    num_classes = len(classes)
    sums = {name: LabelAreas.nothing(num_classes) for name in methods}
    judged = []
    for item in tqdm(annotations, unit='image', disable=not progress):
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
    """Describe the classes of a label map and their shares."""
    labels, counts = np.unique(label_map, return_counts=True)
    parts = [
        f'{classes[label]} {100 * count / label_map.size:.0f} %'
        for label, count in zip(labels.tolist(), counts, strict=True)
        if 0 < label < len(classes)
    ]
    return ', '.join(parts) or 'only background'


def _label_map(
    folder: str | Path, item: BoxAnnotations, num_classes: int
) -> np.ndarray:
    return read_label_png(Path(folder) / f'{item.image_id}.png', num_classes)
