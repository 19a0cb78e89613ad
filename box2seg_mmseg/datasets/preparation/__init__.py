"""From data sets as they are published to the layout of the configs."""

from .archives import extract
from .coco import coco_image_names, write_coco_masks
from .download import Download, download
from .open_images import BoxFilter, OpenImagesReport, prepare_open_images
from .voc import PreparationReport, prepare_voc

__all__ = [
    'BoxFilter',
    'Download',
    'OpenImagesReport',
    'PreparationReport',
    'coco_image_names',
    'download',
    'extract',
    'prepare_open_images',
    'prepare_voc',
    'write_coco_masks',
]
