"""From an image and its boxes to a label map; numpy, numba and OpenCV only."""

from .box_cut import BACKENDS, MIN_SIDE
from .box_fill import BoxFill
from .builder import build_labeler
from .engines import ENGINES
from .generation import GenerationSummary, generate_pseudo_labels
from .grab_cut import GrabCut
from .image_file import (
    ImageError,
    ImageSizeError,
    decode_image,
    read_image,
    read_image_bytes,
)
from .label_png import read_label_png, voc_palette, write_label_png
from .pseudo_label import PseudoLabel, PseudoLabeler
from .segment import IGNORE, Segment, paint_segments
from .stability import NUM_PERTURBATIONS
from .store import StoreError, verify_pseudo_labels

__all__ = [
    'BACKENDS',
    'ENGINES',
    'IGNORE',
    'MIN_SIDE',
    'NUM_PERTURBATIONS',
    'BoxFill',
    'GenerationSummary',
    'GrabCut',
    'ImageError',
    'ImageSizeError',
    'PseudoLabel',
    'PseudoLabeler',
    'Segment',
    'StoreError',
    'build_labeler',
    'decode_image',
    'generate_pseudo_labels',
    'paint_segments',
    'read_image',
    'read_image_bytes',
    'read_label_png',
    'verify_pseudo_labels',
    'voc_palette',
    'write_label_png',
]
