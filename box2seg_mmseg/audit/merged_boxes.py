"""Boxes around several objects, told apart by merging other boxes."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..boxes import BoxAnnotations, add_box_noise, pixel_boxes
from .finding import Finding

_NUM_FOLDS = 5
_PLANTED_SHARE = 0.3  # weight of all planted boxes; real ones weigh 1
_DECAY = 0.01  # of the logistic regression's weights
_LEAST_PART = 0.1  # share of a box's foreground that counts as a part
_NAMES = ('valley', 'filling', 'parts', 'others', 'area', 'aspect')


class MergedBoxes:
    """Learns what boxes around several objects look like.

    Boxes of one class in an image are merged on purpose, and a logistic
    regression learns to tell them from the boxes as they are. Each image is
    judged by a regression that was fitted on other images. Most boxes must
    be right for this to work. All of this is our choice.

    A box is described by what the network sees in it (the deepest valley in
    the profiles of its foreground, how much of it is foreground, in how many
    parts), by the number of other boxes of its class in the image, and by
    how its area and aspect ratio compare with those of its class.
    """

    def __init__(self) -> None:
        self._images: list[BoxAnnotations] = []
        self._real: list[np.ndarray] = []
        self._planted: list[np.ndarray] = []
        self._planted_labels: list[np.ndarray] = []

    def add(self, annotations: BoxAnnotations, foreground: np.ndarray) -> None:
        """Look at the boxes of an image, and at the same boxes merged.

        Args:
            annotations: The boxes.
            foreground: ``(H, W)`` float32, the probability of any object.
        """
        merged = add_box_noise(without_groups(annotations), 'merge', 1)
        old = {tuple(box) for box in annotations.boxes.tolist()}
        is_new = np.array(
            [tuple(box) not in old for box in merged.boxes.tolist()], bool
        )
        self._images.append(annotations)
        self._real.append(_describe(annotations, foreground))
        self._planted.append(_describe(merged, foreground)[is_new])
        self._planted_labels.append(merged.labels[is_new])

    def findings(self) -> list[Finding]:
        """A finding for each box of all images."""
        if not self._images:
            return []
        labels = np.concatenate([one.labels for one in self._images])
        planted_labels = np.concatenate(self._planted_labels)
        single = ~np.concatenate([_groups(one) for one in self._images])
        real, planted = map(np.concatenate, (self._real, self._planted))
        real, planted = (
            _by_class(rows, own, real[single], labels[single])
            for rows, own in ((real, labels), (planted, planted_labels))
        )
        folds = np.arange(len(self._images)) % _NUM_FOLDS
        fold = np.repeat(folds, [len(rows) for rows in self._real])
        planted_fold = np.repeat(folds, [len(rows) for rows in self._planted])
        scores = np.zeros(len(real))
        for k in range(_NUM_FOLDS):
            scores[fold == k] = _classify(
                real[fold == k],
                real[single & (fold != k)],
                planted[planted_fold != k],
            )
        result, start = [], 0
        for annotations in self._images:
            groups = _groups(annotations)
            for index, box in enumerate(annotations.boxes.tolist()):
                score, reason = scores[start], _reason(real[start])
                if groups[index]:
                    score, reason = 1.0, 'Marked as a group or crowd'
                finding = Finding(
                    'merged',
                    float(score),
                    reason,
                    annotations.image_id,
                    tuple(box),
                    index,
                )
                result.append(finding)
                start += 1
        return result


def without_groups(annotations: BoxAnnotations) -> BoxAnnotations:
    """The boxes that are not marked as a group or crowd of objects."""
    return annotations.take(np.flatnonzero(~_groups(annotations)))


def _groups(annotations: BoxAnnotations) -> np.ndarray:
    """``(K,)`` bool: OpenImages' ``IsGroupOf`` or COCO's ``iscrowd``."""
    result = np.zeros(len(annotations.labels), bool)
    for name in ('group_of', 'crowd'):
        result |= annotations.flags.get(name, False)
    return result


def _describe(
    annotations: BoxAnnotations, foreground: np.ndarray
) -> np.ndarray:
    """``(K, 6)`` float64, the columns of ``_NAMES``."""
    rows = []
    height, width = annotations.size
    for (x1, y1, x2, y2), label in zip(
        pixel_boxes(annotations.boxes, annotations.size).tolist(),
        annotations.labels,
        strict=True,
    ):
        inside = foreground[y1:y2, x1:x2]
        row = (
            max(_valley(inside.mean(axis)) for axis in (0, 1)),
            inside.mean(),
            _num_parts(inside),
            (annotations.labels == label).sum() - 1,
            math.log((x2 - x1) * (y2 - y1) / (height * width)),
            math.log((x2 - x1) / (y2 - y1)),
        )
        rows.append(row)
    return np.array(rows, np.float64).reshape(-1, len(_NAMES))


def _valley(profile: np.ndarray) -> float:
    """How far a profile falls between two higher places."""
    width = max(1, len(profile) // 16) | 1
    smooth = cv2.blur(profile.reshape(1, -1), (width, 1)).ravel()
    left = np.maximum.accumulate(smooth)
    right = np.maximum.accumulate(smooth[::-1])[::-1]
    return float((np.minimum(left, right) - smooth).max())


def _num_parts(inside: np.ndarray) -> int:
    threshold = max(np.quantile(inside, 0.9), 0.3) / 2
    mask = (inside > threshold).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int((areas > _LEAST_PART * areas.sum()).sum())


def _by_class(
    rows: np.ndarray,
    labels: np.ndarray,
    real: np.ndarray,
    real_labels: np.ndarray,
) -> np.ndarray:
    """The rows with area and aspect ratio compared with those of the class.

    They become deviations from the class's mean, in standard deviations.
    """
    rows = rows.copy()
    for label in np.unique(labels):
        size = real[real_labels == label, 4:]
        own = labels == label
        if len(size):
            rows[own, 4:] -= size.mean(0)
            rows[own, 4:] /= size.std(0) + 0.1
        else:
            rows[own, 4:] = 0
    return rows


def _classify(
    rows: np.ndarray, real: np.ndarray, planted: np.ndarray
) -> np.ndarray:
    """Probabilities that rows are merged boxes; 0 if none could be planted."""
    if not len(planted) or not len(real):
        return np.zeros(len(rows))
    weights = _logistic_regression(real, planted)
    return 1 / (1 + np.exp(-_terms(rows) @ weights))


def _logistic_regression(real: np.ndarray, planted: np.ndarray) -> np.ndarray:
    """Weights of ``_terms``, by Newton's method."""
    terms = _terms(np.concatenate([real, planted]))
    is_planted = np.arange(len(terms)) >= len(real)
    share = np.where(is_planted, _PLANTED_SHARE / len(planted), 1 / len(real))
    share /= share.sum()
    # Each term weighs alike; the last one is the constant.
    scale = terms.std(0)
    scale[-1] = 1
    scale[scale == 0] = 1
    terms = terms / scale
    decay = np.full(len(scale), 2 * _DECAY)
    decay[-1] = 1e-9
    weights = np.zeros(len(scale))
    for _ in range(30):
        probs = 1 / (1 + np.exp(-terms @ weights))
        slope = terms.T @ (share * (probs - is_planted)) + decay * weights
        bend = (terms.T * (share * probs * (1 - probs))) @ terms
        weights -= np.linalg.solve(bend + np.diag(decay), slope)
    return weights / scale


def _terms(rows: np.ndarray) -> np.ndarray:
    """The columns, their squares and a constant."""
    return np.concatenate([rows, rows**2, np.ones((len(rows), 1))], 1)


def _reason(row: Sequence[float]) -> str:
    signs = dict(zip(_NAMES, row, strict=True))
    parts = []
    if signs['parts'] > 1:
        parts.append(f'{signs["parts"]:.0f} separate parts')
    if signs['valley'] > 0.1:
        parts.append('a gap in the foreground')
    if signs['area'] > 1:
        parts.append('larger than most boxes of its class')
    if abs(signs['aspect']) > 1:
        shape = 'wider' if signs['aspect'] > 0 else 'taller'
        parts.append(f'{shape} than most boxes of its class')
    text = ', '.join(parts) or 'nothing that speaks for several objects'
    return text[0].upper() + text[1:]
