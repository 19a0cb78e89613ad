"""Overlays, comparison figures and comparison pages."""

from .comparison_figure import draw_comparison
from .comparison_page import ImageRow, Panel, write_comparison_page
from .overlays import draw_boxes, overlay_heat, overlay_labels, read_photograph

__all__ = [
    'ImageRow',
    'Panel',
    'draw_boxes',
    'draw_comparison',
    'overlay_heat',
    'overlay_labels',
    'read_photograph',
    'write_comparison_page',
]
