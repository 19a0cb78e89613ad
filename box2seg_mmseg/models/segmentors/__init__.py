"""Segmentors."""

from .crf_seg_tta import CRFSegTTAModel
from .crf_segmentor import (
    CRFCascadeEncoderDecoder,
    CRFEncoderDecoder,
    class_probs,
)

__all__ = [
    'CRFCascadeEncoderDecoder',
    'CRFEncoderDecoder',
    'CRFSegTTAModel',
    'class_probs',
]
