"""Networks that detect the boundaries of objects."""

from .hed import HED

__all__ = ['HED']
