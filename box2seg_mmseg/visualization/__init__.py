"""Overlays and comparison figures."""

from .comparison_figure import draw_comparison
from .overlays import draw_boxes, overlay_heat, overlay_labels, read_photograph

__all__ = [
    'draw_boxes',
    'draw_comparison',
    'overlay_heat',
    'overlay_labels',
    'read_photograph',
]
