"""From an image and its boxes to a label map; numpy, numba and OpenCV only."""

from .box_fill import BoxFill
from .builder import build_labeler
from .generation import GenerationSummary, generate_pseudo_labels
from .grab_cut import GrabCut
from .label_png import voc_palette, write_label_png
from .pseudo_label import PseudoLabel, PseudoLabeler

__all__ = [
    'BoxFill',
    'GenerationSummary',
    'GrabCut',
    'PseudoLabel',
    'PseudoLabeler',
    'build_labeler',
    'generate_pseudo_labels',
    'voc_palette',
    'write_label_png',
]
