"""Loops."""

from .crf_loops import CRFTestLoop, CRFValLoop

__all__ = ['CRFTestLoop', 'CRFValLoop']
