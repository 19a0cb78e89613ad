"""Hooks."""

from .box2seg_visualization_hook import Box2SegVisualizationHook
from .checkpoint_check_hook import CheckpointCheckHook
from .keep_memory_hook import KeepMemoryHook, keep_freed_memory
from .random_state_hook import RandomStateHook

__all__ = [
    'Box2SegVisualizationHook',
    'CheckpointCheckHook',
    'KeepMemoryHook',
    'RandomStateHook',
    'keep_freed_memory',
]
