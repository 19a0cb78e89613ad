"""The affinity loss, exact in linear time (L_A)."""

import torch
import torch.nn.functional as F  # noqa: N812
from mmseg.registry import MODELS
from torch import Tensor

from ...structures import TrainingStep
from .base import Box2SegLoss
from .utils import at_least_float32, check_shape


def affinity_loss(
    embeddings: Tensor, probs: Tensor, valid: Tensor | None = None
) -> Tensor:
    """Make pixels of similar embeddings have similar predictions [N].

        L_A = 1/m^2 sum_ij (cos(e_i, e_j) - y_i . y_j)^2

    over the m valid pixels of an image, then the mean over the batch. With
    the unit embeddings F ``(D, m)`` and the probabilities Y ``(C, m)`` this
    is ``|F F^T|^2 - 2 |F Y^T|^2 + |Y Y^T|^2`` in Frobenius norms, exactly:
    ``O(m (D + C)^2)`` time and no ``m x m`` matrix. It subtracts large
    numbers, so it runs in float32 at least, also under autocast.

    Args:
        embeddings: ``(N, D, H, W)`` float.
        probs: ``(N, C, H, W)`` float in ``[0, 1]``: softmax or one-hot.
        valid: ``(N, H, W)`` bool, the pixels that count; None for all.

    Returns:
        A scalar >= 0 up to rounding; an image without valid pixels counts
        as 0.

    Raises:
        ValueError: The shapes do not match.
    """
    n, _, height, width = embeddings.shape
    check_shape('probs', probs, (n, probs.shape[1], height, width))
    with torch.autocast(embeddings.device.type, enabled=False):
        features = at_least_float32(embeddings).flatten(2)
        probs = at_least_float32(probs).flatten(2)
        norm = torch.linalg.vector_norm(features, dim=1, keepdim=True)
        # A zero vector is similar to no other. Its gradient must not be
        # divided by its norm: ReLUs can output zero vectors.
        scale = norm.masked_fill(norm < 1e-6, torch.inf).reciprocal()
        num_pixels = features.new_full((n, 1, 1), height * width)
        if valid is not None:
            check_shape('valid', valid, (n, height, width))
            keep = valid.flatten(1).unsqueeze(1)
            scale, probs = scale * keep, probs * keep
            num_pixels = keep.sum(2, keepdim=True).clamp(min=1)
        unit = features * scale

        def gram(a: Tensor, b: Tensor) -> Tensor:
            """Squared Frobenius norm of ab^T / m, summed over images."""
            return (a @ b.transpose(1, 2) / num_pixels).square().sum()

        loss = gram(unit, unit) - 2 * gram(unit, probs) + gram(probs, probs)
        return loss / n


@MODELS.register_module()
class AffinityLoss(Box2SegLoss):
    """:func:`affinity_loss` between a branch of embeddings and the classes.

    It is taken at the decoder's size h x w, with the labels sampled there
    (our choice).

    Args:
        loss_weight: Weight of the loss; no source states it (our choice,
            found on voc-mini).
        embedding_channels: Size D of an embedding (our choice).
        pretrain_iters: For this many first iterations the embeddings learn
            GrabCut's labels instead of the predictions. The authors pre-train
            them [A]; doing so inside the run is our choice.
    """

    def __init__(
        self,
        loss_weight: float = 5.0,
        embedding_channels: int = 64,
        pretrain_iters: int = 0,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.is_off = loss_weight == 0
        self.embedding_channels = embedding_channels
        self.pretrain_iters = pretrain_iters

    def branch_channels(self, num_classes: int) -> dict[str, int]:
        """The branch ``embedding``."""
        return dict(embedding=self.embedding_channels)

    def forward(self, step: TrainingStep) -> dict[str, Tensor]:
        """Compute ``loss_affinity``."""
        embeddings = step.branches['embedding'].float()
        label = step.pseudo_label.unsqueeze(1).float()
        label = F.interpolate(label, embeddings.shape[2:], mode='nearest')
        label = label.squeeze(1).long()
        valid = label != step.ignore_index
        if step.before(self.pretrain_iters):
            label = label.masked_fill(~valid, 0)
            probs = F.one_hot(label, step.seg_logits.shape[1])
            probs = probs.permute(0, 3, 1, 2).float()
        else:
            probs = step.seg_logits.float().softmax(1)
        loss = affinity_loss(embeddings, probs, valid)
        return dict(loss_affinity=self.loss_weight * loss)
