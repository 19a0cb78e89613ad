"""Pictures."""

from .comparison_figure import draw_comparison

__all__ = ['draw_comparison']
