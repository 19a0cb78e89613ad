"""Audit the boxes of a data set with the networks of a round."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
from tqdm import tqdm

from ..apis.cross_fitted import CrossFittedNetworks
from ..apis.predictor import Predictor
from ..boxes import BoxAnnotations
from ..images import read_image
from .box_corrector import (
    BoxCorrector,
    ImageFeatures,
    reduce_channels,
    train_corrector,
)
from .finding import Finding
from .merged_boxes import MergedBoxes, without_groups
from .missing_objects import missing_objects

_FEATURE_SCALE = 1.5  # of the config's test size
_MOST_IMAGES = 500  # that a corrector is trained on
_LEAST_MOVE = 0.05  # of a side, that a reason names


def audit_boxes(
    images: Sequence[BoxAnnotations],
    networks: CrossFittedNetworks,
    progress: bool = False,
    seed: int = 0,
) -> list[Finding]:
    """Score every box, and every object that seems to have none.

    - ``missing``: regions outside all boxes in which a network sees an
      object (:func:`missing_objects`).
    - ``merged``: a score for each box (:class:`MergedBoxes`).
    - ``misaligned``: one minus the IoU of each box with the box that a
      :class:`BoxCorrector` suggests. A corrector judges only images that
      neither it nor its backbone was trained on, unless all images with
      boxes are in one fold.

    Args:
        images: The boxes; images without a box are audited too.
        networks: The networks of a round.
        progress: Show progress bars on stderr.
        seed: Seeds the correctors' training.

    Returns:
        All findings: first the most suspicious of each mode, then the second
        of each, and so on.

    Raises:
        ImageError: A photograph is missing, corrupt or of another size.
        ValueError: No split file of the networks names an image, or a
            network gives probabilities that are not finite.
    """
    images = sorted(images, key=lambda one: one.image_id)
    findings: list[Finding] = []
    merged = MergedBoxes()
    with tqdm(
        total=len(images), desc='audit', unit='image', disable=not progress
    ) as bar:
        for checkpoint, fold, others in _folds(images, networks):
            network = networks.load(checkpoint)
            corrector = _train(
                _boxed(others) or _boxed(fold), network, seed, progress
            )
            for image in fold:
                pixels = read_image(image.image_path, image.size)
                probs = networks.predict(pixels, image.image_id)
                foreground = 1 - probs[0]
                findings += missing_objects(image, foreground)
                merged.add(image, foreground)
                if corrector is not None and len(image.labels):
                    features = _features(image, network)
                    findings += _misaligned(features, corrector)
                bar.update()
    findings += merged.findings()
    findings.sort(key=lambda one: (-one.score, one.image_id, one.index or 0))
    # Scores of different modes cannot be compared, so the modes take turns.
    places = defaultdict(count)
    return sorted(findings, key=lambda one: next(places[one.mode]))


def _folds(
    images: Sequence[BoxAnnotations], networks: CrossFittedNetworks
) -> Iterator[tuple[str, list[BoxAnnotations], list[BoxAnnotations]]]:
    """Each checkpoint, the images that it predicts, and all others."""
    names = [networks.checkpoint_of(image.image_id) for image in images]
    for checkpoint in sorted(set(names)):
        inside, outside = [], []
        for image, name in zip(images, names, strict=True):
            (inside if name == checkpoint else outside).append(image)
        yield checkpoint, inside, outside


def _boxed(images: Sequence[BoxAnnotations]) -> list[BoxAnnotations]:
    """The images with boxes to learn from, without those of groups."""
    single = [without_groups(image) for image in images]
    return [image for image in single if len(image.labels)]


def _train(
    images: Sequence[BoxAnnotations],
    network: Predictor,
    seed: int,
    progress: bool,
) -> BoxCorrector | None:
    """A corrector on the network's features; None without images."""
    if not images:
        return None
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[:_MOST_IMAGES]
    features = [
        _features(images[i], network)
        for i in tqdm(chosen, 'features', unit='image', disable=not progress)
    ]
    return train_corrector(features, progress, seed)


def _features(image: BoxAnnotations, network: Predictor) -> ImageFeatures:
    maps = network.features(image.image_path, _FEATURE_SCALE)
    return ImageFeatures(image, [reduce_channels(one) for one in maps])


def _misaligned(
    image: ImageFeatures, corrector: BoxCorrector
) -> Iterator[Finding]:
    """A finding for each box, with the box that the corrector suggests."""
    boxes = image.annotations.boxes
    suggested = corrector.correct(image)
    for index, (box, other) in enumerate(
        zip(boxes.tolist(), suggested.tolist(), strict=True)
    ):
        yield Finding(
            'misaligned',
            1 - _iou(box, other),
            _moves(box, other),
            image.annotations.image_id,
            tuple(box),
            index,
            tuple(other),
        )


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    """IoU of two boxes, xyxy."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b)]
    return both / (sum(areas) - both)


def _moves(box: Sequence[float], suggested: Sequence[float]) -> str:
    """A sentence: which sides should move, and by how much."""
    width, height = box[2] - box[0], box[3] - box[1]
    parts = []
    for i, (side, length, inwards) in enumerate(
        (
            ('left', width, 1),
            ('top', height, 1),
            ('right', width, -1),
            ('bottom', height, -1),
        )
    ):
        move = inwards * (suggested[i] - box[i]) / length
        if abs(move) > _LEAST_MOVE:
            where = 'in' if move > 0 else 'out'
            parts.append(f'{side} side {abs(move):.0%} further {where}')
    text = ', '.join(parts).capitalize()
    return text or f'No side is off by more than {_LEAST_MOVE:.0%}'
