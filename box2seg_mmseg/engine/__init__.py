"""Hooks, model and optimizer wrappers that mmengine lacks."""

from .. import checked_toolbox  # noqa: F401
from .hooks import (
    Box2SegVisualizationHook,
    CheckpointCheckHook,
    KeepMemoryHook,
    RandomStateHook,
)
from .model_wrappers import CPUDistributedDataParallel
from .optim_wrappers import BFloat16OptimWrapper, has_bfloat16_instructions

__all__ = [
    'BFloat16OptimWrapper',
    'Box2SegVisualizationHook',
    'CPUDistributedDataParallel',
    'CheckpointCheckHook',
    'KeepMemoryHook',
    'RandomStateHook',
    'has_bfloat16_instructions',
]
