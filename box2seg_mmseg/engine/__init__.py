"""What mmengine lacks: hooks, loops and optimizer wrappers."""

from .. import checked_toolbox  # noqa: F401
from .hooks import Box2SegVisualizationHook, KeepMemoryHook, RandomStateHook
from .loops import CRFTestLoop, CRFValLoop
from .optim_wrappers import BFloat16OptimWrapper, has_bfloat16_instructions

__all__ = [
    'BFloat16OptimWrapper',
    'Box2SegVisualizationHook',
    'CRFTestLoop',
    'CRFValLoop',
    'KeepMemoryHook',
    'RandomStateHook',
    'has_bfloat16_instructions',
]
