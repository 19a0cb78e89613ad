"""The attention-weighted loss (L_fg + L_bg + L_fr)."""

from mmseg.registry import MODELS
from torch import Tensor, nn

from .filling_rate_loss import BoxMasks, filling_rate_hinge, filling_rates
from .utils import (
    at_least_float32,
    boxed_classes,
    check_shape,
    mean_over_images,
)


def attention_weighted_loss(
    log_probs: Tensor,
    attention: Tensor,
    box_mask: Tensor,
    class_reduction: str = 'mean',
) -> tuple[Tensor, Tensor]:
    r"""Cross entropy on the boxes, weighted inside them by attention [N].

    .. math::
        L_{fg} &= -\frac{1}{\sum_i B(i,c)}
            \sum_i \alpha(i,c) B(i,c) \log y(i,c) \\
        L_{bg} &= -\frac{1}{\sum_i B(i,0)} \sum_i B(i,0) \log y(i,0)

    L_fg is averaged over the classes boxed in an image, then over the images
    of the batch; L_bg is 0 for an image without a pixel outside all boxes
    (our choice).

    Args:
        log_probs: ``(N, L + 1, H, W)`` float, log softmax of the decoder.
        attention: ``(N, L, H, W)`` float in ``[0, 1]``.
        box_mask: ``(N, L + 1, H, W)`` bool; class 0 is 'in no box'. A pixel
            in none of the classes, 0 included, is in none of the sums.
        class_reduction: ``'sum'`` adds L_fg up over the classes instead.

    Returns:
        ``(loss_fg, loss_bg)``, two scalars.

    Raises:
        ValueError: The shapes do not fit each other.
    """
    n, num_classes, height, width = log_probs.shape
    check_shape('attention', attention, (n, num_classes - 1, height, width))
    check_shape('box_mask', box_mask, tuple(log_probs.shape))
    images, classes = boxed_classes(box_mask)
    inside = box_mask[images, classes + 1]
    log_y = at_least_float32(log_probs[images, classes + 1])
    alpha = at_least_float32(attention[images, classes])
    # Not after the product, whose gradient would be NaN where log_y is -inf.
    weighted = alpha * log_y.masked_fill(~inside, 0)
    per_class = -weighted.sum((1, 2)) / inside.sum((1, 2))

    outside = box_mask[:, 0]
    log_y0 = at_least_float32(log_probs[:, 0])
    per_image = -log_y0.masked_fill(~outside, 0).sum((1, 2))
    per_image = per_image / outside.sum((1, 2)).clamp(min=1)
    loss_fg = mean_over_images(per_class, images, n, class_reduction)
    return loss_fg, per_image.mean()


@MODELS.register_module()
class AttentionWeightedLoss(nn.Module):
    """L_fg, L_bg and L_fr with their weights.

    Nothing but L_fr holds the attention up, and nothing but L_fg pulls it
    down: watch the mean attention in boxes against gamma * eta. L_fg can only
    grow objects; what can shrink GrabCut's halo around them is background
    that looks like it outside the boxes, so L_bg weighs more. No source states
    the weights or gamma (our choice, found on voc-mini).

    Args:
        fg_weight: Weight of L_fg, inside the boxes.
        bg_weight: Weight of L_bg, outside all boxes.
        fr_weight: Weight of L_fr; unless it is above ``-log y`` times
            fg_weight, at the start ``log(L + 1)`` times, it can not keep the
            attention from collapsing to 0. Box by box, of P boxes and C
            classes in an image, the bound is ``P / C`` times the share of the
            box in the boxed pixels of its class as high: a large box among
            many small ones is held less.
        gamma: Share of GrabCut's filling rate that the attention must keep.
        class_reduction: ``'mean'`` or ``'sum'``, of L_fg and L_fr over the
            classes that are boxed in an image; of L_fr over its boxes where
            they are told apart.

    Raises:
        ValueError: ``class_reduction`` is neither.
    """

    def __init__(
        self,
        fg_weight: float = 0.5,
        bg_weight: float = 3.0,
        fr_weight: float = 5.0,
        gamma: float = 0.7,
        class_reduction: str = 'mean',
    ) -> None:
        super().__init__()
        if class_reduction not in ('mean', 'sum'):
            raise ValueError(
                'class_reduction must be mean or sum. '
                f'Got: {class_reduction!r}'
            )
        self.fg_weight = fg_weight
        self.bg_weight = bg_weight
        self.fr_weight = fr_weight
        self.gamma = gamma
        self.class_reduction = class_reduction

    @property
    def is_off(self) -> bool:
        """Whether it weighs nothing, so that nothing need be computed."""
        return self.fg_weight == self.bg_weight == self.fr_weight == 0

    def forward(
        self,
        log_probs: Tensor,
        attention: Tensor,
        box_mask: Tensor,
        pseudo_label: Tensor,
        warmup: bool = False,
        ignore_index: int = 255,
        single_boxes: BoxMasks | None = None,
    ) -> dict[str, Tensor]:
        """The weighted losses and what to watch.

        Args:
            log_probs: ``(N, L + 1, H, W)`` float, log softmax.
            attention: ``(N, L, H, W)`` float in ``[0, 1]``.
            box_mask: ``(N, L + 1, H, W)`` bool, background first; ignored
                pixels in no class.
            pseudo_label: ``(N, H, W)`` int in ``0..L`` or ``ignore_index``.
            warmup: Only L_fr, so that the attention has learnt GrabCut's
                filling rate before L_fg pulls at it (our choice).
            ignore_index: Label of the pixels left out of every sum.
            single_boxes: L_fr takes the filling rates of these boxes, not of
                the classes.

        Returns:
            ``loss_fr`` and, after the warm-up, ``loss_fg`` and ``loss_bg``;
            ``attention_in_boxes`` and ``gamma_eta``: eta' and gamma * eta,
            averaged over the classes, or boxes, of an image and over the
            images that have a box; 0 if none has.

        Raises:
            ValueError: The shapes do not fit each other.
        """
        n = len(log_probs)
        rates = filling_rates(
            attention, box_mask, pseudo_label, ignore_index, single_boxes
        )
        loss_fr = filling_rate_hinge(
            rates, self.gamma, n, self.class_reduction
        )
        losses = dict(loss_fr=self.fr_weight * loss_fr)
        if not warmup:
            loss_fg, loss_bg = attention_weighted_loss(
                log_probs, attention, box_mask, self.class_reduction
            )
            losses['loss_fg'] = self.fg_weight * loss_fg
            losses['loss_bg'] = self.bg_weight * loss_bg
        num_boxed = max(rates.images.unique().numel(), 1)
        for name, values in (
            ('attention_in_boxes', rates.attention.detach()),
            ('gamma_eta', self.gamma * rates.grabcut),
        ):
            mean = mean_over_images(values, rates.images, n)
            losses[name] = mean * n / num_boxed
        return losses
