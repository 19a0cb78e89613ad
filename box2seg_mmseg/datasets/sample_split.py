"""A share of a split."""

from collections.abc import Sequence

import numpy as np


def sample_split(
    image_ids: Sequence[str], share: float, seed: int = 0
) -> list[str]:
    """Draw images without replacement.

    Args:
        image_ids: The images of the split.
        share: Share of them to draw, in ``[0, 1]``; rounded to whole images,
            at least one.
        seed: Two shares of one seed are nested: the smaller is part of the
            larger.

    Returns:
        The drawn ids, in the split's order.
    """
    count = max(round(share * len(image_ids)), 1)
    order = np.random.default_rng(seed).permutation(len(image_ids))
    return [image_ids[i] for i in np.sort(order[:count])]
