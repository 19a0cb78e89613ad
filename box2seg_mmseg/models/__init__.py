"""Segmentors, backbones, decode head, losses and an edge detector."""

from .. import checked_toolbox  # noqa: F401
from .backbone_weights import load_from_box2seg
from .backbones import BackboneWithDistance, EfficientNetLite
from .decode_heads import Box2SegHead
from .edges import HED
from .losses import AffinityLoss, AttentionWeightedLoss, GrabCutLoss
from .segmentors import (
    CRFCascadeEncoderDecoder,
    CRFEncoderDecoder,
    CRFSegTTAModel,
)

__all__ = [
    'HED',
    'AffinityLoss',
    'AttentionWeightedLoss',
    'BackboneWithDistance',
    'Box2SegHead',
    'CRFCascadeEncoderDecoder',
    'CRFEncoderDecoder',
    'CRFSegTTAModel',
    'EfficientNetLite',
    'GrabCutLoss',
    'load_from_box2seg',
]
