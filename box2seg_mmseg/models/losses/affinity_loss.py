"""The affinity loss, exact in linear time (L_A)."""

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from .utils import at_least_float32, check_shape


def affinity_loss(
    embeddings: Tensor, probs: Tensor, valid: Tensor | None = None
) -> Tensor:
    r"""Pixels of alike embeddings should have alike predictions [N].

    .. math::
        L_A = \frac{1}{m^2} \sum_{i,j} (\cos(e_i, e_j) - y_i \cdot y_j)^2

    over the m valid pixels of an image, then the mean over the batch. With
    the unit embeddings F ``(D, m)`` and the probabilities Y ``(C, m)`` this
    is :math:`|FF^T|^2 - 2|FY^T|^2 + |YY^T|^2` in Frobenius norms, exactly:
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
        ValueError: The shapes do not fit each other.
    """
    n, _, height, width = embeddings.shape
    check_shape('probs', probs, (n, probs.shape[1], height, width))
    with torch.autocast(embeddings.device.type, enabled=False):
        features = at_least_float32(embeddings).flatten(2)
        probs = at_least_float32(probs).flatten(2)
        norm = torch.linalg.vector_norm(features, dim=1, keepdim=True)
        # A zero vector is like no other. Its gradient must not be divided
        # by its norm: ReLUs that are all shut do give zero vectors.
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
class AffinityLoss(nn.Module):
    """:func:`affinity_loss` with a weight.

    Args:
        loss_weight: Weight of the loss; no source states it (our choice,
            found on voc-mini).
        detach_probs: L_A trains the embeddings alone, not the predictions; as
            it is printed it trains both (our choice).
    """

    def __init__(
        self, loss_weight: float = 5.0, detach_probs: bool = False
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.detach_probs = detach_probs

    @property
    def is_off(self) -> bool:
        """Whether it weighs nothing, so that nothing need be computed."""
        return self.loss_weight == 0

    def forward(
        self, embeddings: Tensor, probs: Tensor, valid: Tensor | None = None
    ) -> Tensor:
        """The weighted loss; see :func:`affinity_loss`."""
        if self.detach_probs:
            probs = probs.detach()
        return self.loss_weight * affinity_loss(embeddings, probs, valid)
