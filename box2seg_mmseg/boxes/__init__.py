"""What an annotation file says: one dataclass, one reader per format."""

from .box_annotations import (
    AnnotationError,
    BoxAnnotations,
    pixel_boxes,
    warn_of_clipped_boxes,
)
from .voc_classes import VOC_CLASSES
from .voc_xml import iter_voc_xml, read_voc_xml, write_voc_xml

__all__ = [
    'VOC_CLASSES',
    'AnnotationError',
    'BoxAnnotations',
    'iter_voc_xml',
    'pixel_boxes',
    'read_voc_xml',
    'warn_of_clipped_boxes',
    'write_voc_xml',
]
