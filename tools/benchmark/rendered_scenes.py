"""A small data set of rendered scenes that needs no download.

Scenes of textured shapes on textured backgrounds, with occlusion, holes and
thin parts, in the layout of VOCdevkit/VOC2012: exact masks and their boxes.
"""

from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations, write_voc_xml
from box2seg_mmseg.label_maps import write_label_png

SCENE_CLASSES = ('disk', 'ring', 'star', 'lollipop', 'frame')
"""The foreground classes; the first has label 1."""

_HUES = dict(disk=0, ring=25, star=60, lollipop=100, frame=140)  # OpenCV's
_MIN_VISIBLE = 0.4
_MIN_SIDE = 8


def write_scenes(
    out_dir: str | Path,
    num_train: int = 160,
    num_val: int = 60,
    side: int = 128,
    seed: int = 0,
    progress: bool = False,
) -> None:
    """Draw the data set.

    Args:
        out_dir: Folder for JPEGImages, SegmentationClass, Annotations and
            ImageSets/Segmentation; made if absent.
        num_train: Scenes of the split ``train``.
        num_val: Scenes of the split ``val``.
        side: Height and width of a scene in pixels.
        seed: The same seed draws the same scenes.
        progress: Show a progress bar on stderr.
    """
    out_dir = Path(out_dir)
    for name in (
        'JPEGImages',
        'SegmentationClass',
        'Annotations',
        'ImageSets/Segmentation',
    ):
        (out_dir / name).mkdir(parents=True, exist_ok=True)
    splits = dict(train=num_train, val=num_val)
    bar = tqdm(total=num_train + num_val, unit='scene', disable=not progress)
    for number, (split, count) in enumerate(splits.items()):
        ids = [f'{split}_{i:04d}' for i in range(count)]
        for i, image_id in enumerate(ids):
            rng = np.random.default_rng((seed, number, i))
            image, mask, boxes, labels = draw_scene(rng, side)
            image_path = out_dir / 'JPEGImages' / f'{image_id}.jpg'
            cv2.imwrite(str(image_path), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
            write_label_png(
                out_dir / 'SegmentationClass' / f'{image_id}.png', mask
            )
            write_voc_xml(
                out_dir / 'Annotations' / f'{image_id}.xml',
                BoxAnnotations(
                    image_id, str(image_path), mask.shape, boxes, labels
                ),
                SCENE_CLASSES,
            )
            bar.update()
        split_file = out_dir / 'ImageSets/Segmentation' / f'{split}.txt'
        split_file.write_text('\n'.join(ids) + '\n')
    bar.close()


def draw_scene(
    rng: np.random.Generator, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw one scene of one to four objects.

    Args:
        rng: The source of all randomness.
        side: Height and width in pixels.

    Returns:
        Image ``(side, side, 3)`` uint8 BGR; mask ``(side, side)`` uint8;
        boxes ``(K, 4)`` float32 xyxy, half-open, of the visible pixels of
        each object; labels ``(K,)`` int64.
    """
    image = _texture(rng, side, hue=int(rng.integers(180)), saturation=50)
    owner = np.zeros((side, side), np.int64)
    areas, labels = [0], [0]
    for _ in range(rng.integers(1, 5)):
        label = int(rng.integers(len(SCENE_CLASSES))) + 1
        name = SCENE_CLASSES[label - 1]
        shape = _shape(rng, side, name)
        after = np.where(shape, len(areas), owner)
        sizes = [*areas, shape.sum()]
        if not all(
            _visible(after == k, sizes[k]) for k in range(1, len(sizes))
        ):
            continue  # it would hide too much of an object
        owner, areas = after, sizes
        labels.append(label)
        hue = (_HUES[name] + int(rng.integers(-8, 9))) % 180
        image[shape] = _texture(rng, side, hue, saturation=170)[shape]
    noise = rng.normal(0, 6, image.shape)
    image = cv2.GaussianBlur(image, (3, 3), 0.6) + noise
    boxes = [_box(owner == k) for k in range(1, len(areas))]
    return (
        image.clip(0, 255).astype(np.uint8),
        np.array(labels, np.uint8)[owner],
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels[1:], np.int64),
    )


def _visible(pixels: np.ndarray, area: int) -> bool:
    if pixels.sum() < _MIN_VISIBLE * area:
        return False
    x1, y1, x2, y2 = _box(pixels)
    return min(x2 - x1, y2 - y1) >= _MIN_SIDE


def _box(pixels: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(pixels)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def _shape(rng: np.random.Generator, side: int, name: str) -> np.ndarray:
    """The pixels of one object, ``(side, side)`` bool."""
    canvas = np.zeros((side, side), np.uint8)
    radius = rng.uniform(0.15, 0.3) * side
    center = rng.uniform(0.25, 0.75, 2) * side
    angle = rng.uniform(0, 2 * np.pi)
    squeeze = rng.uniform(0.7, 1.0)

    def polygon(points: list[tuple[float, float]], value: int) -> None:
        """Fill a polygon given in units of the radius."""
        points = np.array(points) * (radius, radius * squeeze)
        cos, sin = np.cos(angle), np.sin(angle)
        points = points @ np.array([[cos, sin], [-sin, cos]]) + center
        cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], value)

    def disk(scale: float, at: float = 0.0) -> list[tuple[float, float]]:
        turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        return [(scale * np.cos(t), at + scale * np.sin(t)) for t in turns]

    def square(scale: float) -> list[tuple[float, float]]:
        a = scale
        return [(-a, -a), (a, -a), (a, a), (-a, a)]

    if name == 'disk':
        polygon(disk(1.0), 1)
    elif name == 'ring':
        polygon(disk(1.0), 1)
        polygon(disk(0.5), 0)
    elif name == 'star':
        spikes = np.arange(10) * np.pi / 5
        reach = np.where(np.arange(10) % 2, 0.4, 1.1)
        polygon(
            [
                (r * np.cos(t), r * np.sin(t))
                for r, t in zip(reach, spikes, strict=True)
            ],
            1,
        )
    elif name == 'lollipop':
        polygon([(-0.06, 0), (0.06, 0), (0.06, 1.3), (-0.06, 1.3)], 1)
        polygon(disk(0.6, at=-0.5), 1)
    else:
        polygon(square(0.8), 1)
        polygon(square(0.5), 0)
    return canvas.astype(bool)


def _texture(
    rng: np.random.Generator, side: int, hue: int, saturation: int
) -> np.ndarray:
    """Smooth noise of two scales with stripes, ``(side, side, 3)`` BGR."""

    def noise(cells: int) -> np.ndarray:
        grid = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        return cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)

    ys, xs = np.mgrid[:side, :side]
    turn, period = rng.uniform(0, np.pi), rng.uniform(5, 14)
    waves = np.sin(
        2 * np.pi * (xs * np.cos(turn) + ys * np.sin(turn)) / period
    )
    value = rng.uniform(110, 180) + 25 * noise(4) + 12 * noise(24)
    hsv = np.stack(
        [
            (hue + 4 * noise(4)) % 180,
            saturation + 20 * noise(8),
            value + 18 * waves,
        ],
        axis=-1,
    )
    hsv = hsv.clip(0, (179, 255, 255)).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
