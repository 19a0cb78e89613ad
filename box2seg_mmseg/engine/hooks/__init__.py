"""Hooks."""

from .keep_memory_hook import KeepMemoryHook
from .random_state_hook import RandomStateHook

__all__ = ['KeepMemoryHook', 'RandomStateHook']
