"""Better pseudo labels from a network's probabilities and the old labels."""

import numpy as np
from scipy.special import expit, logit

from ..boxes import grow_box
from ..label_maps import IGNORE
from .labelers.box_crf import LabelImage, label_box
from .labelers.segment import Box, Segment

# What the CRF sees around a box, as a share of its width and height.
_MARGIN = 0.25


def raise_filling_rate(probs: np.ndarray, least: float) -> np.ndarray:
    """Raise the probability of a class until its mean is large enough.

    The same number is added to the log-odds of each pixel.

    Args:
        probs: ``(h, w)`` floats in ``(0, 1)``, the probability in a box.
        least: The least mean over the box, in ``[0, 1)``.

    Returns:
        ``(h, w)`` floats; ``probs`` if its mean is large enough.
    """
    if probs.mean() >= least:
        return probs
    odds = logit(probs)
    low, high = 0.0, 20.0  # 20 makes a probability of 1e-7 one of 0.98
    for _ in range(20):
        middle = (low + high) / 2
        if expit(odds + middle).mean() < least:
            low = middle
        else:
            high = middle
    return expit(odds + high)


def raise_rows_and_columns(probs: np.ndarray, least: float) -> np.ndarray:
    """Raise the probability of a class until each row and column has it.

    A box that fits touches its object on all four sides, so an object of one
    piece is in each of its rows and columns (Lempitsky et al., "Image
    Segmentation with a Bounding Box Prior", ICCV 2009; the form is our
    choice). The same number is added to the log-odds of all pixels of a row
    or column; where both are raised, the larger one counts.

    Args:
        probs: ``(h, w)`` floats in ``(0, 1)``, the probability in a box.
        least: The least maximum of a row or column, in ``[0, 1)``.

    Returns:
        ``(h, w)`` floats.
    """
    if least == 0:
        return probs
    odds = logit(probs)
    lacking = [logit(least) - odds.max(axis, keepdims=True) for axis in (0, 1)]
    return expit(odds + np.maximum(0, np.maximum(*lacking)))


def refine_segment(
    image: np.ndarray,
    box: Box,
    probs: np.ndarray,
    old: np.ndarray,
    network_share: float,
    confidence: float,
    gamma: float,
    tightness: float,
    least_filling: float,
    label_image: LabelImage | None,
) -> Segment:
    """Refine the segment of one box (our choice).

    The probability of a pixel is the weighted mean of the network's and of
    what the old segment stands for.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        box: Whole pixels, xyxy, half-open, inside the image.
        probs: ``(h, w)`` floats in ``[0, 1]``, the network's probability of
            the box's class in the box.
        old: ``(h, w)`` uint8, the old segment: 0, 1, or 255.
        network_share: Weight of the network, in ``[0, 1]``; the old segment
            has the rest.
        confidence: Probability that a pixel of the old segment stands for, in
            ``[0.5, 1]``; 255 stands for 0.5.
        gamma: The network's mean probability over the box is raised to at
            least this share of the old segment's filling rate, in
            ``[0, 1]``: the constraint L_fr, for probabilities.
        tightness: The weighted mean is raised in rows and columns of the box
            whose highest value is less than this
            (:func:`raise_rows_and_columns`), in ``[0, 1)``.
        least_filling: A box keeps its old segment if the new one would fill
            less than this share of it, and less than the old one, in
            ``[0, 1]``.
        label_image: Such as a :class:`DenseCRF`, for the box and its
            surroundings (:func:`label_box`); None takes the more probable
            value of each pixel.

    Returns:
        The new segment, without pixels of 255 unless the old one is kept.
    """
    filled = old == 1
    network = raise_filling_rate(_inside_unit(probs), gamma * filled.mean())
    prior = np.where(filled, confidence, 1 - confidence)
    prior[old == IGNORE] = 0.5
    mixed = network_share * network + (1 - network_share) * prior
    mixed = raise_rows_and_columns(_inside_unit(mixed), tightness)
    if label_image is None:
        new = mixed > 0.5
    else:
        window = grow_box(box, _MARGIN, image.shape[:2])
        new = label_box(label_image, image, window, box, mixed)
    if new.mean() < least_filling and new.mean() < filled.mean():
        return Segment(old, 'old label kept: the new one is almost empty')
    return Segment(new.astype(np.uint8))


def _inside_unit(probs: np.ndarray) -> np.ndarray:
    """Probabilities in float64 whose log-odds are finite."""
    return np.clip(probs.astype(np.float64), 1e-7, 1 - 1e-7)
