"""From an image and its boxes to a label map; numpy, numba and OpenCV only."""

from .box_fill import BoxFill
from .builder import build_labeler
from .engines import ENGINES
from .generation import GenerationSummary, generate_pseudo_labels
from .grab_cut import BACKENDS, GrabCut
from .label_png import voc_palette, write_label_png
from .pseudo_label import PseudoLabel, PseudoLabeler
from .store import StoreError, verify_pseudo_labels

__all__ = [
    'BACKENDS',
    'ENGINES',
    'BoxFill',
    'GenerationSummary',
    'GrabCut',
    'PseudoLabel',
    'PseudoLabeler',
    'StoreError',
    'build_labeler',
    'generate_pseudo_labels',
    'verify_pseudo_labels',
    'voc_palette',
    'write_label_png',
]
