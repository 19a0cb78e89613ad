"""What a model says where the pseudo label is right, and where it is wrong."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..boxes import BoxAnnotations, boxed_pixels
from ..label_maps import read_label_png

# By whether the pseudo label and the mask give a boxed pixel to the class.
CASES = {
    (True, True): 'object, labelled so',
    (True, False): 'background, labelled object',
    (False, True): 'object, labelled background',
    (False, False): 'background, labelled so',
}


@dataclass(frozen=True)
class CaseStatistics:
    """The boxed pixels of one case.

    Args:
        case: Which pixels, of :data:`CASES`.
        share: Of all boxed pixels, in ``[0, 1]``.
        attention: Their mean attention; None for a model without.
        probability: Their mean probability of the boxes' class.
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
    """Mean attention and probability over the boxed pixels of each case.

    A pixel counts once for each class whose boxes cover it; ignored pixels of
    mask or pseudo label do not count.

    Args:
        annotations: The images and their boxes.
        probability: From the path of an image to ``(L + 1, H, W)``.
        attention: From the path of an image to ``(L, H, W)``, or None.
        pseudo_label_dir: What the model was trained on.
        mask_dir: The ground truth.
        num_classes: L + 1 of masks and pseudo labels.
        one_class: The model knows object and background alone.
        progress: Show a progress bar on stderr.
        total: How many annotations there are, for the progress bar.

    Returns:
        The cases, in the order of :data:`CASES`, of those that occur.

    Raises:
        FileNotFoundError: A mask or pseudo label is missing.
        ValueError: Mask, pseudo label and probabilities differ in size, or
            the model has other classes.
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
                f'{item.image_id}: the mask asks for probabilities {want} '
                f'and a label {mask.shape}. Got: {probs.shape}, {label.shape}'
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
