"""Boxes of images: one dataclass, and a source for each file format."""

from ..option import Option
from .box_annotations import (
    AnnotationError,
    BoxAnnotations,
    boxed_pixels,
    grow_box,
    pixel_boxes,
)
from .box_crop import BoxCrop
from .classes import (
    COCO_CLASSES,
    COCO_TO_VOC,
    OPEN_IMAGES_TO_VOC,
    VOC_CLASSES,
    check_classes,
)
from .noise import NOISES, add_box_noise
from .reading import ReadingReport, require_boxes
from .sources.base import BOX_SOURCES, BoxSource, build_box_source
from .sources.coco_json import COCOJSON
from .sources.detections import Detections, select_detections
from .sources.open_images_csv import OpenImagesCSV
from .sources.voc_xml import VOCXML, write_voc_xml
from .sources.yolo_txt import YOLOTxt

__all__ = [
    'BOX_SOURCES',
    'COCOJSON',
    'COCO_CLASSES',
    'COCO_TO_VOC',
    'NOISES',
    'OPEN_IMAGES_TO_VOC',
    'VOCXML',
    'VOC_CLASSES',
    'AnnotationError',
    'BoxAnnotations',
    'BoxCrop',
    'BoxSource',
    'Detections',
    'OpenImagesCSV',
    'Option',
    'ReadingReport',
    'YOLOTxt',
    'add_box_noise',
    'boxed_pixels',
    'build_box_source',
    'check_classes',
    'grow_box',
    'pixel_boxes',
    'require_boxes',
    'select_detections',
    'write_voc_xml',
]
