"""Attention and probability where pseudo labels are right and wrong."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations, boxed_pixels
from box2seg_mmseg.label_maps import read_label_png

# By whether pseudo label and mask assign a boxed pixel to the class.
CASES = {
    (True, True): 'object, labelled so',
    (True, False): 'background, labelled object',
    (False, True): 'object, labelled background',
    (False, False): 'background, labelled so',
}


@dataclass(frozen=True)
class CaseStatistics:
    """Statistics of the boxed pixels of one case.

    Args:
        case: One of the values of :data:`CASES`.
        share: Share of these pixels among all boxed pixels, in ``[0, 1]``.
        attention: Mean attention; None for a model without attention.
        probability: Mean probability of the boxes' class.
    """

    case: str
    share: float
    attention: float | None
    probability: float


def attention_statistics(
    annotations: Iterable[BoxAnnotations],
    probability: Callable[[str], np.ndarray],
    attention: Callable[[str], np.ndarray] | None,
    pseudo_label_dir: str | Path,
    mask_dir: str | Path,
    num_classes: int,
    one_class: bool = False,
    progress: bool = False,
    total: int | None = None,
) -> list[CaseStatistics]:
    """Average attention and probability over the boxed pixels of each case.

    A pixel counts once for each class whose boxes cover it. Pixels that the
    mask or the pseudo label ignores do not count.

    Args:
        annotations: The images and their boxes.
        probability: Maps the path of an image to its class probabilities,
            ``(L + 1, H, W)``.
        attention: Maps the path of an image to its attention, ``(L, H, W)``,
            or None.
        pseudo_label_dir: Folder of the pseudo labels of the training.
        mask_dir: Folder of the ground-truth masks.
        num_classes: L + 1 of masks and pseudo labels.
        one_class: The model knows only object and background.
        progress: Show a progress bar on stderr.
        total: Number of annotations, for the progress bar.

    Returns:
        The cases that occur, in the order of :data:`CASES`.

    Raises:
        FileNotFoundError: A mask or pseudo label is missing.
        ValueError: Mask, pseudo label and probabilities differ in size or in
            their number of classes.
    """
    num_outputs = 2 if one_class else num_classes
    sums = {case: np.zeros(3) for case in CASES}
    for item in tqdm(
        annotations, total=total, unit='image', disable=not progress
    ):
        label, mask = (
            read_label_png(Path(folder) / f'{item.image_id}.png', num_classes)
            for folder in (pseudo_label_dir, mask_dir)
        )
        probs = probability(item.image_path)
        want = (num_outputs, *mask.shape)
        if label.shape != mask.shape or probs.shape != want:
            raise ValueError(
                f'{item.image_id}: to fit the mask, probabilities must be '
                f'{want} and the pseudo label {mask.shape}. '
                f'Got: {probs.shape}, {label.shape}'
            )
        alpha = None if attention is None else attention(item.image_path)
        known = (label != 255) & (mask != 255)
        labels = item.labels
        if one_class:
            label, mask, labels = label > 0, mask > 0, np.ones_like(labels)
        for c in np.unique(labels).tolist():
            inside = known & boxed_pixels(item.boxes[labels == c], item.size)
            for labelled, is_object in CASES:
                chosen = inside & ((label == c) == labelled)
                chosen &= (mask == c) == is_object
                sums[labelled, is_object] += (
                    chosen.sum(),
                    0 if alpha is None else alpha[c - 1][chosen].sum(),
                    probs[c][chosen].sum(),
                )
    pixels = sum(one[0] for one in sums.values())
    return [
        CaseStatistics(
            name,
            count / pixels,
            None if attention is None else alphas / count,
            likely / count,
        )
        for name, (count, alphas, likely) in zip(
            CASES.values(), sums.values(), strict=True
        )
        if count
    ]
