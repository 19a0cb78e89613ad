"""Segmentors."""

from .crf_seg_tta import CRFSegTTAModel
from .crf_segmentor import CRFCascadeEncoderDecoder, CRFEncoderDecoder

__all__ = [
    'CRFCascadeEncoderDecoder',
    'CRFEncoderDecoder',
    'CRFSegTTAModel',
]
