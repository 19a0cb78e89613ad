"""The losses of Box2Seg, as functions and as Modules over them."""

from .affinity_loss import AffinityLoss, affinity_loss
from .attention_weighted_loss import (
    AttentionWeightedLoss,
    attention_weighted_loss,
)
from .base import Box2SegLoss
from .filling_rate_loss import filling_rate_loss
from .grabcut_loss import GrabCutLoss, grabcut_loss

__all__ = [
    'AffinityLoss',
    'AttentionWeightedLoss',
    'Box2SegLoss',
    'GrabCutLoss',
    'affinity_loss',
    'attention_weighted_loss',
    'filling_rate_loss',
    'grabcut_loss',
]
