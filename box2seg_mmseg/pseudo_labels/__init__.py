"""From an image and its boxes to a label map; numpy, numba and OpenCV only."""

from .engines import ENGINES
from .generation import GenerationSummary, generate_pseudo_labels
from .labelers import (
    BACKENDS,
    MIN_SIDE,
    NUM_PERTURBATIONS,
    BoxFill,
    GrabCut,
    PseudoLabel,
    PseudoLabeler,
    Segment,
    build_labeler,
    paint_segments,
)
from .store import StoreError, verify_pseudo_labels

__all__ = [
    'BACKENDS',
    'ENGINES',
    'MIN_SIDE',
    'NUM_PERTURBATIONS',
    'BoxFill',
    'GenerationSummary',
    'GrabCut',
    'PseudoLabel',
    'PseudoLabeler',
    'Segment',
    'StoreError',
    'build_labeler',
    'generate_pseudo_labels',
    'paint_segments',
    'verify_pseudo_labels',
]
