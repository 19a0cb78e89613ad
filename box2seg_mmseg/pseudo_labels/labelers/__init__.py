"""The pseudo labelers, one file each, and what they share."""

from .box_cut import BACKENDS, MIN_SIDE
from .box_fill import BoxFill
from .builder import LABELERS, build_labeler
from .grab_cut import GrabCut
from .pseudo_labeler import PseudoLabel, PseudoLabeler
from .segment import Segment, paint_segments
from .stability import NUM_PERTURBATIONS

__all__ = [
    'BACKENDS',
    'LABELERS',
    'MIN_SIDE',
    'NUM_PERTURBATIONS',
    'BoxFill',
    'GrabCut',
    'PseudoLabel',
    'PseudoLabeler',
    'Segment',
    'build_labeler',
    'paint_segments',
]
