"""The attention-weighted loss (L_fg + L_bg + L_fr)."""

from mmseg.registry import MODELS
from torch import Tensor

from ...structures import BoxPairs, TrainingStep
from .base import Box2SegLoss
from .filling_rate_loss import filling_rate_hinge, filling_rates
from .utils import at_least_float32, check_shape


def attention_weighted_loss(
    log_probs: Tensor, attention: Tensor, box_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross entropy on the boxes, weighted inside them by attention [N].

        L_fg = -sum_i alpha(i, c) B(i, c) log y(i, c) / sum_i B(i, c)
        L_bg = -sum_i B(i, 0) log y(i, 0) / sum_i B(i, 0)

    L_fg is averaged over the classes boxed in an image, then over the images
    of the batch; L_bg is 0 for an image without a pixel outside all boxes
    (our choice).

    Args:
        log_probs: ``(N, L + 1, H, W)`` float, log softmax of the decoder.
        attention: ``(N, L, H, W)`` float in ``[0, 1]``.
        box_mask: ``(N, L + 1, H, W)`` bool; class 0 is 'in no box'. A pixel
            in none of the classes, 0 included, is in none of the sums.

    Returns:
        ``(loss_fg, loss_bg)``, two scalars.

    Raises:
        ValueError: The shapes do not match.
    """
    n, num_classes, height, width = log_probs.shape
    check_shape('attention', attention, (n, num_classes - 1, height, width))
    check_shape('box_mask', box_mask, tuple(log_probs.shape))
    pairs = BoxPairs.from_mask(box_mask)
    alpha = attention[pairs.images, pairs.classes - 1]
    return (
        foreground_loss(log_probs, alpha, pairs),
        background_loss(log_probs, box_mask[:, 0]),
    )


def foreground_loss(
    log_probs: Tensor, attention: Tensor, pairs: BoxPairs
) -> Tensor:
    """L_fg of :func:`attention_weighted_loss`; 0 if no image has a box.

    ``attention`` is ``(P, H, W)``, that of each pair's class.
    """
    log_y = at_least_float32(log_probs[pairs.images, pairs.classes])
    alpha = at_least_float32(attention)
    # Not after the product, whose gradient would be NaN where log_y is -inf.
    weighted = alpha * log_y.masked_fill(~pairs.inside, 0)
    per_pair = -weighted.sum((1, 2)) / pairs.inside.sum((1, 2))
    return pairs.mean_over_images(per_pair, len(log_probs))


def background_loss(log_probs: Tensor, outside: Tensor) -> Tensor:
    """L_bg; ``outside`` is ``(N, H, W)`` bool, the pixels in no box."""
    log_y = at_least_float32(log_probs[:, 0])
    per_image = -log_y.masked_fill(~outside, 0).sum((1, 2))
    return (per_image / outside.sum((1, 2)).clamp(min=1)).mean()


@MODELS.register_module()
class AttentionWeightedLoss(Box2SegLoss):
    """L_fg, L_bg and L_fr over a branch of attention maps.

    The attention of a class is the sigmoid of its logits (our choice). Only
    L_fr holds the attention up, and only L_fg pulls it down: watch
    ``attention_in_boxes`` against ``gamma_eta``. L_fg can only grow objects;
    what can shrink GrabCut's halo around them is similar background outside
    the boxes, so L_bg weighs more. No source states the weights or gamma (our
    choice, found on voc-mini).

    L_fr takes the filling rates of single boxes, so that a small box beside
    a large one of its class keeps its attention too (our choice; the
    benchmark found it better than rates by class).

    Args:
        fg_weight: Weight of L_fg, inside the boxes.
        bg_weight: Weight of L_bg, outside all boxes.
        fr_weight: Weight of L_fr. Unless it is above ``-log y`` times
            ``fg_weight``, at the start ``log(L + 1)`` times, it cannot keep
            the attention from collapsing to 0. In an image of P boxes and C
            classes, multiply this bound by ``P / C`` and by the box's share
            of the boxed pixels of its class: a large box among many small
            ones is held less firmly.
        gamma: Share of GrabCut's filling rate that the attention must keep.
        warmup_iters: For this many first iterations only L_fr acts, so that
            the attention has learned GrabCut's filling rate before L_fg pulls
            at it (our choice).
    """

    def __init__(
        self,
        fg_weight: float = 0.5,
        bg_weight: float = 3.0,
        fr_weight: float = 5.0,
        gamma: float = 0.7,
        warmup_iters: int = 0,
    ) -> None:
        super().__init__()
        self.fg_weight = fg_weight
        self.bg_weight = bg_weight
        self.fr_weight = fr_weight
        self.gamma = gamma
        self.warmup_iters = warmup_iters
        self.is_off = fg_weight == bg_weight == fr_weight == 0

    def branch_channels(self, num_classes: int) -> dict[str, int]:
        """The branch ``attention``, a channel for each foreground class."""
        return dict(attention=num_classes - 1)

    def forward(self, step: TrainingStep) -> dict[str, Tensor]:
        """Compute ``loss_fr`` and after the warm-up ``loss_fg``, ``loss_bg``.

        Statistics are ``attention_in_boxes`` and ``gamma_eta``, the filling
        rate of the attention and gamma times GrabCut's, averaged over the
        boxes of an image and over the images that have one;
        ``attention_on_grabcut`` and ``attention_off_grabcut``, the mean
        attention over boxed pixels whose pseudo label is, and is not, the
        class.
        """
        n = len(step.log_probs)
        classes, boxes = step.boxes.by_class(), step.boxes.by_box()
        logits = step.branches['attention']
        # Only boxed classes count, and an image has few of them.
        logits = logits[classes.images, classes.classes - 1]
        alpha = step.resize(logits.unsqueeze(0))[0].sigmoid()

        grabcut, attention = filling_rates(
            alpha[_class_of_box(boxes, classes)], boxes, step.pseudo_label
        )
        hinge = filling_rate_hinge(grabcut, attention, self.gamma)
        losses = dict(
            loss_fr=self.fr_weight * boxes.mean_over_images(hinge, n)
        )
        if not step.before(self.warmup_iters):
            losses['loss_fg'] = self.fg_weight * foreground_loss(
                step.log_probs, alpha, classes
            )
            losses['loss_bg'] = self.bg_weight * background_loss(
                step.log_probs, step.boxes.outside
            )
        for name, values in (
            ('attention_in_boxes', attention.detach()),
            ('gamma_eta', self.gamma * grabcut),
        ):
            mean = boxes.mean_over_images(values, n)
            losses[name] = mean * n / max(boxes.num_boxed, 1)
        own = step.pseudo_label[classes.images]
        own = own == classes.classes.view(-1, 1, 1)
        for name, mask in (('on', own), ('off', ~own)):
            mask = mask & classes.inside
            total = (alpha.detach() * mask).sum()
            mean = total / mask.sum().clamp(min=1)
            losses[f'attention_{name}_grabcut'] = mean
        return losses


def _class_of_box(boxes: BoxPairs, classes: BoxPairs) -> Tensor:
    """``(P,)`` int64: the place of each box's class among the classes."""
    same = boxes.images.unsqueeze(1) == classes.images
    same &= boxes.classes.unsqueeze(1) == classes.classes
    return same.byte().argmax(1) if len(classes.images) else boxes.images
