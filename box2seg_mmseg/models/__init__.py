"""Decode head and losses."""

from .decode_heads import Box2SegHead
from .losses import (
    AffinityLoss,
    AttentionWeightedLoss,
    GrabCutLoss,
)

__all__ = [
    'AffinityLoss',
    'AttentionWeightedLoss',
    'Box2SegHead',
    'GrabCutLoss',
]
