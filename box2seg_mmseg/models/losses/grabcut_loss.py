"""Cross entropy on the GrabCut pseudo label (L_GC)."""

import torch.nn.functional as F  # noqa: N812
from mmseg.registry import MODELS
from torch import Tensor

from ...structures import TrainingStep
from .base import Box2SegLoss
from .utils import at_least_float32


def grabcut_loss(
    log_probs: Tensor,
    pseudo_label: Tensor,
    ignore_index: int = 255,
    num_valid: Tensor | None = None,
) -> Tensor:
    """Cross entropy on the pseudo label (supplement, Eqn 2 [S]).

        L_GC = -1/m sum_i log y(i, M(i))

    over the pixels of the batch that are not ignored (our choice).

    Args:
        log_probs: ``(N, L + 1, H, W)`` float, log softmax of the decoder.
        pseudo_label: ``(N, H, W)`` int64 in ``0..L`` or ``ignore_index``.
        ignore_index: Label of the pixels left out.
        num_valid: Scalar, above 0, the m to divide by; None for the pixels
            of this batch that are not ignored.

    Returns:
        A scalar; 0 if every pixel is ignored.
    """
    total = F.nll_loss(
        at_least_float32(log_probs),
        pseudo_label,
        ignore_index=ignore_index,
        reduction='sum',
    )
    if num_valid is None:
        num_valid = (pseudo_label != ignore_index).sum().clamp(min=1)
    return total / num_valid


@MODELS.register_module()
class GrabCutLoss(Box2SegLoss):
    """:func:`grabcut_loss` with a weight.

    Args:
        loss_weight: Weight of the loss; 1 in the sum of losses [N].
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.is_off = loss_weight == 0

    def forward(self, step: TrainingStep) -> dict[str, Tensor]:
        """Compute ``loss_gc``."""
        loss = grabcut_loss(
            step.log_probs,
            step.pseudo_label,
            step.ignore_index,
            step.num_valid,
        )
        return dict(loss_gc=self.loss_weight * loss)
