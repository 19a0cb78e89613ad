"""What mmengine lacks: hooks and optimizer wrappers."""

from .hooks import KeepMemoryHook, RandomStateHook
from .optim_wrappers import BFloat16OptimWrapper

__all__ = ['BFloat16OptimWrapper', 'KeepMemoryHook', 'RandomStateHook']
