"""Decode heads."""

from .box2seg_head import Box2SegHead

__all__ = ['Box2SegHead']
