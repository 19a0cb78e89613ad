"""Pseudo labels from images and boxes, with numpy, numba and OpenCV only."""

from ..option import Option
from .engines import ENGINES
from .generation import GenerationSummary, generate_pseudo_labels
from .instance_exports import INSTANCE_FORMATS
from .label_check import check_label_folder, verify_pseudo_labels
from .labelers.box_cut import BACKENDS, MIN_SIDE
from .labelers.box_fill import BoxFill
from .labelers.builder import LABELERS, build_labeler
from .labelers.deep_grab_cut import DeepGrabCut
from .labelers.grab_cut import GrabCut
from .labelers.grab_cut_ensemble import GrabCutEnsemble
from .labelers.grab_cut_plus import GrabCutPlus
from .labelers.pseudo_labeler import PseudoLabel, PseudoLabeler
from .labelers.segment import Segment, paint_segments
from .labelers.segment_anything import SegmentAnything
from .labelers.stability import NUM_PERTURBATIONS
from .store import StoreError

__all__ = [
    'BACKENDS',
    'ENGINES',
    'INSTANCE_FORMATS',
    'LABELERS',
    'MIN_SIDE',
    'NUM_PERTURBATIONS',
    'BoxFill',
    'DeepGrabCut',
    'GenerationSummary',
    'GrabCut',
    'GrabCutEnsemble',
    'GrabCutPlus',
    'Option',
    'PseudoLabel',
    'PseudoLabeler',
    'Segment',
    'SegmentAnything',
    'StoreError',
    'build_labeler',
    'check_label_folder',
    'generate_pseudo_labels',
    'paint_segments',
    'verify_pseudo_labels',
]
