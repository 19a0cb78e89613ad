"""Backbones that mmseg lacks."""

from .backbone_with_distance import BackboneWithDistance
from .efficientnet_lite import EfficientNetLite

__all__ = ['BackboneWithDistance', 'EfficientNetLite']
