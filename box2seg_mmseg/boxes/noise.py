"""Noise in boxes as in OpenImages' annotations (supplement, Sec. 3 [S])."""

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .box_annotations import BoxAnnotations

# The smallest side of a jittered box, in pixels.
_MIN_SIDE = 4.0


def add_box_noise(
    annotations: BoxAnnotations, kind: str, share: float, seed: int = 0
) -> BoxAnnotations:
    """The boxes of an image with errors in some of them.

    The supplement names three kinds of errors [S]; their size is our choice:

    - ``merge``: one box covers several instances. A chosen box and the
      nearest other one of its class become the box around both. The only box
      of a class does not change.
    - ``drop``: a box is missing.
    - ``jitter``: a box is not aligned. Its centre moves by up to a fifth of
      its sides, and each side becomes 0.75 to 1.33 times as long.

    Args:
        annotations: The boxes of the image; they are not modified.
        kind: ``'merge'``, ``'drop'`` or ``'jitter'``.
        share: Probability that a box is chosen, in ``[0, 1]``.
        seed: Seeds the random numbers together with the image's id, so that
            the order of the images does not matter.

    Raises:
        ValueError: ``kind`` is unknown, or ``share`` is not in ``[0, 1]``.
    """
    if kind not in NOISES:
        raise ValueError(
            f'kind must be one of {", ".join(NOISES)}. Got: {kind!r}'
        )
    if not 0 <= share <= 1:
        raise ValueError(f'share must be in [0, 1]. Got: {share}')
    rng = np.random.default_rng(
        [seed, zlib.crc32(annotations.image_id.encode())]
    )
    chosen = rng.random(len(annotations.labels)) < share
    return NOISES[kind](annotations, chosen, rng)


def _merge(
    annotations: BoxAnnotations, chosen: np.ndarray, rng: np.random.Generator
) -> BoxAnnotations:
    boxes, labels = annotations.boxes.copy(), annotations.labels
    centres = boxes.reshape(-1, 2, 2).mean(1)
    alive = np.ones(len(labels), bool)
    for i in np.flatnonzero(chosen):
        others = alive & (labels == labels[i])
        others[i] = False
        if not alive[i] or not others.any():
            continue
        distance = np.linalg.norm(centres - centres[i], axis=1)
        other = np.where(others, distance, np.inf).argmin()
        boxes[i, :2] = np.minimum(boxes[i, :2], boxes[other, :2])
        boxes[i, 2:] = np.maximum(boxes[i, 2:], boxes[other, 2:])
        alive[other] = False
    return replace(annotations, boxes=boxes).take(np.flatnonzero(alive))


def _drop(
    annotations: BoxAnnotations, chosen: np.ndarray, rng: np.random.Generator
) -> BoxAnnotations:
    return annotations.take(np.flatnonzero(~chosen))


def _jitter(
    annotations: BoxAnnotations, chosen: np.ndarray, rng: np.random.Generator
) -> BoxAnnotations:
    boxes = annotations.boxes.astype(np.float64)
    sides = boxes[:, 2:] - boxes[:, :2]
    shift = rng.uniform(-0.2, 0.2, sides.shape) * sides
    scale = np.exp(rng.uniform(np.log(0.75), np.log(4 / 3), sides.shape))
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + shift
    half = np.maximum(sides * scale, _MIN_SIDE) / 2
    limit = np.array(annotations.size[::-1], np.float64)
    # Keep the centre, and so a part of the box, inside the image.
    centres = np.clip(centres, 0, limit)
    moved = np.concatenate([centres - half, centres + half], 1)
    moved = np.clip(moved, 0, np.tile(limit, 2))
    boxes[chosen] = moved[chosen]
    return replace(annotations, boxes=boxes)


NOISES: dict[str, Callable[..., BoxAnnotations]] = dict(
    merge=_merge, drop=_drop, jitter=_jitter
)
