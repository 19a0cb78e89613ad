"""The soft filling-rate constraint on the attention (L_fr)."""

from torch import Tensor

from ...structures import BoxPairs
from .utils import at_least_float32, check_shape


def filling_rate_loss(
    attention: Tensor,
    box_mask: Tensor,
    pseudo_label: Tensor,
    gamma: float,
    ignore_index: int = 255,
) -> Tensor:
    """Keep the attention from falling below GrabCut's filling rate [N].

        L_fr = max(0, gamma * eta_c - eta'_c)
        eta_c = sum_i M(i, c) B(i, c) / sum_i B(i, c)
        eta'_c = sum_i alpha(i, c) B(i, c) / sum_i B(i, c)

    averaged over the classes boxed in an image, then over the images of the
    batch (our choice).

    Args:
        attention: ``(N, L, H, W)`` float in ``[0, 1]``.
        box_mask: ``(N, L + 1, H, W)`` bool, background first.
        pseudo_label: ``(N, H, W)`` int in ``0..L`` or ``ignore_index``.
        gamma: Share of GrabCut's filling rate that the attention must keep.
        ignore_index: Label of the pixels left out of every sum.

    Returns:
        A scalar; 0 if no image has a box.

    Raises:
        ValueError: The shapes do not match.
    """
    n, num_foreground, height, width = attention.shape
    check_shape('box_mask', box_mask, (n, num_foreground + 1, height, width))
    check_shape('pseudo_label', pseudo_label, (n, height, width))
    valid = (pseudo_label != ignore_index).unsqueeze(1)
    pairs = BoxPairs.from_mask(box_mask & valid)
    alpha = attention[pairs.images, pairs.classes - 1]
    rates = filling_rates(alpha, pairs, pseudo_label)
    return pairs.mean_over_images(filling_rate_hinge(*rates, gamma), n)


def filling_rates(
    attention: Tensor, pairs: BoxPairs, pseudo_label: Tensor
) -> tuple[Tensor, Tensor]:
    """Filling rates ``(P,)`` of GrabCut, eta, and of the attention, eta'.

    Args:
        attention: ``(P, H, W)`` float in ``[0, 1]``, of each pair's class.
        pairs: P classes, or single boxes (our choice), of the images.
        pseudo_label: ``(N, H, W)`` int in ``0..L`` or the ignored label,
            which no pair may cover.
    """
    area = pairs.inside.sum((1, 2))
    own = pseudo_label[pairs.images] == pairs.classes.view(-1, 1, 1)
    alpha = at_least_float32(attention)
    grabcut = (own & pairs.inside).sum((1, 2)).to(alpha.dtype) / area
    return grabcut, (alpha * pairs.inside).sum((1, 2)) / area


def filling_rate_hinge(
    grabcut: Tensor, attention: Tensor, gamma: float
) -> Tensor:
    """``max(0, gamma * eta - eta')`` of each pair, from filling rates."""
    return (gamma * grabcut - attention).clamp(min=0)
