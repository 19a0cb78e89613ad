"""Optimizer wrappers."""

from .bfloat16_optim_wrapper import (
    BFloat16OptimWrapper,
    has_bfloat16_instructions,
)

__all__ = ['BFloat16OptimWrapper', 'has_bfloat16_instructions']
