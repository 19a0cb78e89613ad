"""What an annotation file says: one dataclass, one reader per format."""

from .box_annotations import (
    AnnotationError,
    BoxAnnotations,
    boxed_pixels,
    pixel_boxes,
)
from .class_maps import COCO_TO_VOC, OPEN_IMAGES_TO_VOC
from .coco_classes import COCO_CLASSES
from .noise import NOISES, add_box_noise
from .reading import ReadingReport
from .sources.coco_json import (
    iter_coco_json,
    iter_coco_results,
    select_detections,
)
from .sources.open_images_csv import (
    ImageRows,
    iter_open_images_csv,
    iter_open_images_rows,
)
from .sources.voc_xml import iter_voc_xml, read_voc_xml, write_voc_xml
from .voc_classes import VOC_CLASSES

__all__ = [
    'COCO_CLASSES',
    'COCO_TO_VOC',
    'NOISES',
    'OPEN_IMAGES_TO_VOC',
    'VOC_CLASSES',
    'AnnotationError',
    'BoxAnnotations',
    'ImageRows',
    'ReadingReport',
    'add_box_noise',
    'boxed_pixels',
    'iter_coco_json',
    'iter_coco_results',
    'iter_open_images_csv',
    'iter_open_images_rows',
    'iter_voc_xml',
    'pixel_boxes',
    'read_voc_xml',
    'select_detections',
    'write_voc_xml',
]
