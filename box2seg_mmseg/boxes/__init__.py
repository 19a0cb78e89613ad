"""Boxes of images: one dataclass, and a source for each file format."""

from .box_annotations import (
    AnnotationError,
    BoxAnnotations,
    boxed_pixels,
    pixel_boxes,
)
from .class_maps import COCO_TO_VOC, OPEN_IMAGES_TO_VOC, check_classes
from .coco_classes import COCO_CLASSES
from .noise import NOISES, add_box_noise
from .reading import ReadingReport, require_boxes
from .sources.base import (
    BOX_SOURCES,
    BoxOption,
    BoxSource,
    build_box_source,
)
from .sources.coco_json import COCOJSON, iter_coco_json
from .sources.detections import (
    Detections,
    iter_coco_results,
    select_detections,
)
from .sources.open_images_csv import (
    ImageRows,
    OpenImagesCSV,
    iter_open_images_csv,
    iter_open_images_rows,
)
from .sources.voc_xml import (
    VOCXML,
    iter_voc_xml,
    read_voc_xml,
    write_voc_xml,
)
from .sources.yolo_txt import YOLOTxt
from .voc_classes import VOC_CLASSES

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
    'BoxOption',
    'BoxSource',
    'Detections',
    'ImageRows',
    'OpenImagesCSV',
    'ReadingReport',
    'YOLOTxt',
    'add_box_noise',
    'boxed_pixels',
    'build_box_source',
    'check_classes',
    'iter_coco_json',
    'iter_coco_results',
    'iter_open_images_csv',
    'iter_open_images_rows',
    'iter_voc_xml',
    'pixel_boxes',
    'read_voc_xml',
    'require_boxes',
    'select_detections',
    'write_voc_xml',
]
