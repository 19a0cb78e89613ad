"""Transforms that load or make boxes and pseudo labels, and pack them."""

from .formatting import PackBox2SegInputs
from .generate_pseudo_labels import GeneratePseudoLabels
from .load_boxes import LoadBoxes
from .load_pseudo_labels import LoadPseudoLabels
from .merge_classes import MergeClasses
from .pad_maps import PadMaps

__all__ = [
    'GeneratePseudoLabels',
    'LoadBoxes',
    'LoadPseudoLabels',
    'MergeClasses',
    'PackBox2SegInputs',
    'PadMaps',
]
