"""The soft filling-rate constraint on the attention (L_fr)."""

from typing import NamedTuple

from torch import Tensor

from .utils import (
    at_least_float32,
    boxed_classes,
    check_shape,
    mean_over_images,
)


class BoxMasks(NamedTuple):
    """The P single boxes of a batch.

    Args:
        images: ``(P,)`` int64, the image of each box.
        classes: ``(P,)`` int64 in ``0..L - 1``, its foreground class.
        inside: ``(P, H, W)`` bool, the pixels that it covers.
    """

    images: Tensor
    classes: Tensor
    inside: Tensor


class FillingRates(NamedTuple):
    """Filling rates of the P pairs of an image and a class boxed in it.

    Or of P single boxes.

    Args:
        images: ``(P,)`` int64, the image of each pair.
        grabcut: ``(P,)`` float, eta: share of the class's boxed pixels that
            the pseudo label gives to the class.
        attention: ``(P,)`` float, eta': mean attention over these pixels.
    """

    images: Tensor
    grabcut: Tensor
    attention: Tensor


def filling_rates(
    attention: Tensor,
    box_mask: Tensor,
    pseudo_label: Tensor,
    ignore_index: int = 255,
    single_boxes: BoxMasks | None = None,
) -> FillingRates:
    r"""Filling rates per image and class [N; per image: our choice].

    .. math::
        \eta_c = \frac{\sum_i M(i,c) B(i,c)}{\sum_i B(i,c)}, \quad
        \eta'_c = \frac{\sum_i \alpha(i,c) B(i,c)}{\sum_i B(i,c)}

    Args:
        attention: ``(N, L, H, W)`` float in ``[0, 1]``.
        box_mask: ``(N, L + 1, H, W)`` bool, background first.
        pseudo_label: ``(N, H, W)`` int in ``0..L`` or ``ignore_index``.
        ignore_index: Label of the pixels left out of every sum.
        single_boxes: Take the rates of these boxes, not of the classes
            (our choice).

    Returns:
        The rates of the pairs, or boxes, that have a pixel which is not
        ignored.

    Raises:
        ValueError: The shapes do not fit each other.
    """
    n, num_foreground, height, width = attention.shape
    check_shape('box_mask', box_mask, (n, num_foreground + 1, height, width))
    check_shape('pseudo_label', pseudo_label, (n, height, width))
    valid = pseudo_label != ignore_index
    if single_boxes is None:
        images, classes = boxed_classes(box_mask & valid.unsqueeze(1))
        inside = box_mask[images, classes + 1] & valid[images]
    else:
        images, classes, inside = single_boxes
        inside = inside & valid[images]
        seen = inside.flatten(1).any(1)
        images, classes, inside = images[seen], classes[seen], inside[seen]
    area = inside.sum((1, 2))
    own = pseudo_label[images] == (classes + 1).view(-1, 1, 1)
    alpha = at_least_float32(attention[images, classes])
    return FillingRates(
        images=images,
        grabcut=(own & inside).sum((1, 2)).to(alpha.dtype) / area,
        attention=(alpha * inside).sum((1, 2)) / area,
    )


def filling_rate_loss(
    attention: Tensor,
    box_mask: Tensor,
    pseudo_label: Tensor,
    gamma: float,
    ignore_index: int = 255,
    class_reduction: str = 'mean',
) -> Tensor:
    r"""Keep the attention from falling below GrabCut's filling rate [N].

    .. math::
        L_{fr} = \max(0, \gamma \eta_c - \eta'_c)

    averaged over the classes boxed in an image, then over the images of the
    batch (our choice). See :func:`filling_rates` for the rates.

    Args:
        attention: ``(N, L, H, W)`` float in ``[0, 1]``.
        box_mask: ``(N, L + 1, H, W)`` bool, background first.
        pseudo_label: ``(N, H, W)`` int in ``0..L`` or ``ignore_index``.
        gamma: Share of GrabCut's filling rate that the attention must keep.
        ignore_index: Label of the pixels left out of every sum.
        class_reduction: ``'mean'``, or ``'sum'`` over the classes.

    Returns:
        A scalar; 0 if no image has a box.

    Raises:
        ValueError: The shapes do not fit each other.
    """
    rates = filling_rates(attention, box_mask, pseudo_label, ignore_index)
    return filling_rate_hinge(rates, gamma, len(attention), class_reduction)


def filling_rate_hinge(
    rates: FillingRates,
    gamma: float,
    num_images: int,
    class_reduction: str = 'mean',
) -> Tensor:
    """:func:`filling_rate_loss` from the rates.

    Args:
        rates: Of :func:`filling_rates`.
        gamma: Share of GrabCut's filling rate that the attention must keep.
        num_images: N.
        class_reduction: ``'mean'``, or ``'sum'``, over an image's classes, or
            its boxes if the rates are those of boxes.

    Returns:
        A scalar; 0 if no image has a box.
    """
    hinge = (gamma * rates.grabcut - rates.attention).clamp(min=0)
    return mean_over_images(hinge, rates.images, num_images, class_reduction)
