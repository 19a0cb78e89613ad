"""Better pseudo labels from a network's probabilities and the old labels."""

from collections.abc import Callable

import numpy as np

from ..boxes import pixel_boxes
from ..label_maps import IGNORE

# From an image and (C, H, W) probabilities to the (H, W) most probable class.
LabelImage = Callable[[np.ndarray, np.ndarray], np.ndarray]


def raise_filling_rate(probs: np.ndarray, least: float) -> np.ndarray:
    """Raise the probability of a class until its mean is large enough.

    The same number is added to the log-odds of each pixel.

    Args:
        probs: ``(h, w)`` float32, the probability in a box.
        least: The least mean over the box, in ``[0, 1)``.

    Returns:
        ``(h, w)`` float32; ``probs`` if its mean is large enough.
    """
    if probs.mean() >= least:
        return probs
    odds = np.log(probs / (1 - probs))
    low, high = 0.0, 20.0  # 20 makes a probability of 1e-7 one of 0.98
    for _ in range(20):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-odds - middle))).mean() < least:
            low = middle
        else:
            high = middle
    return 1 / (1 + np.exp(-odds - high))


def mix_probabilities(
    probs: np.ndarray,
    old: np.ndarray,
    allowed: np.ndarray,
    network_share: float,
    confidence: float,
) -> np.ndarray:
    """The mean of a network's probabilities and of an old label map's.

    An old label counts as ``confidence`` for its class; the rest is shared by
    the other classes that are possible at the pixel. Where the old label is
    255 or impossible, all possible classes are equally probable.

    Args:
        probs: ``(C, H, W)`` float32 probabilities of the network; 0 where a
            class is impossible, and the classes add up to 1.
        old: ``(H, W)`` uint8, an index in ``0..C - 1`` or 255.
        allowed: ``(C, H, W)`` bool, the classes that are possible at a pixel;
            at least one at each.
        network_share: Weight of the network, in ``[0, 1]``; the old label has
            the rest.
        confidence: Of an old label, in ``[0, 1]``.

    Returns:
        ``(C, H, W)`` float32; 0 where a class is impossible, and the classes
        add up to 1.
    """
    is_old = (np.arange(len(probs))[:, None, None] == old) & allowed
    count = allowed.sum(0)
    others = (1 - confidence) / np.maximum(count - 1, 1)
    prior = np.where(is_old, confidence, np.where(allowed, others, 0))
    prior = np.where(is_old.any(0), prior, allowed / count)
    prior /= prior.sum(0)
    mixed = network_share * probs + (1 - network_share) * prior
    return mixed.astype(np.float32)


def refine_label_map(
    image: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    probs: np.ndarray,
    old: np.ndarray,
    network_share: float,
    confidence: float,
    gamma: float,
    least_filling: float,
    label_image: LabelImage | None,
) -> tuple[np.ndarray, list[str | None]]:
    """Refine the label map of an image (our choice).

    A class is possible in its boxes only, the background everywhere.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        boxes: ``(K, 4)`` xyxy in pixels, half-open.
        labels: ``(K,)`` integers in ``1..254``.
        probs: ``(C, H, W)`` float32 probabilities of all classes.
        old: ``(H, W)`` uint8, the old label map.
        network_share: See :func:`mix_probabilities`.
        confidence: See :func:`mix_probabilities`.
        gamma: The network's mean probability of a box's class, over the box,
            is raised to at least this share of the filling rate of the old
            label, in ``[0, 1]``: the constraint L_fr, for probabilities.
        least_filling: If less than this share of a box would have its class,
            the box gets its old label back, in ``[0, 1]``.
        label_image: Such as a :class:`DenseCRF`; None takes the most probable
            class of each pixel.

    Returns:
        ``(H, W)`` uint8, the label map, and for each box why it has its old
        label, or None.
    """
    size = old.shape
    classes = np.unique([0, *labels])
    pixels = pixel_boxes(boxes, size)
    allowed = np.zeros((len(classes), *size), bool)
    allowed[0] = True
    indices = np.searchsorted(classes, labels)
    for (x1, y1, x2, y2), index in zip(pixels, indices, strict=True):
        allowed[index, y1:y2, x1:x2] = True
    old_index = np.full(size, IGNORE, np.uint8)
    for index, one in enumerate(classes):
        old_index[old == one] = index
    probs = np.where(allowed, np.clip(probs[classes], 1e-7, 1 - 1e-7), 0)
    probs /= probs.sum(0)
    for (x1, y1, x2, y2), index in zip(pixels, indices, strict=True):
        inside = probs[:, y1:y2, x1:x2]
        before = inside[index].clip(1e-7, 1 - 1e-7)
        filled = (old_index[y1:y2, x1:x2] == index).mean()
        after = raise_filling_rate(before, gamma * filled)
        inside *= (1 - after) / (1 - before)
        inside[index] = after
    mixed = mix_probabilities(
        probs, old_index, allowed, network_share, confidence
    )
    if label_image is None:
        chosen = mixed.argmax(0)
    else:
        chosen = label_image(image, mixed).astype(np.int64)
        possible = np.take_along_axis(allowed, chosen[None], 0)[0]
        chosen = np.where(possible, chosen, mixed.argmax(0))
    new = classes[chosen].astype(np.uint8)

    fallbacks: list[str | None] = []
    for (x1, y1, x2, y2), label in zip(pixels, labels, strict=True):
        inside, before = new[y1:y2, x1:x2], old[y1:y2, x1:x2]
        filling = (inside == label).mean()
        if filling < least_filling and (before == label).mean() > filling:
            inside[inside == label] = 0
            inside[before == label] = label
            fallbacks.append('old label kept: the new one is almost empty')
        else:
            fallbacks.append(None)
    return new, fallbacks
