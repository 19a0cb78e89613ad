"""mmseg datasets and transforms that know boxes."""

from .. import checked_toolbox  # noqa: F401
from .box_supervised import BoxSupervisedDataset
from .box_supervised_coco import BoxSupervisedCOCODataset
from .box_supervised_object import BoxSupervisedObjectDataset
from .box_supervised_voc import BoxSupervisedVOCDataset
from .transforms.crop_box import CropBox
from .transforms.formatting import PackBox2SegInputs
from .transforms.generate_pseudo_labels import GeneratePseudoLabels
from .transforms.load_boxes import LoadBoxes
from .transforms.load_pseudo_labels import LoadPseudoLabels
from .transforms.merge_classes import MergeClasses
from .transforms.pad_maps import PadMaps

__all__ = [
    'BoxSupervisedCOCODataset',
    'BoxSupervisedDataset',
    'BoxSupervisedObjectDataset',
    'BoxSupervisedVOCDataset',
    'CropBox',
    'GeneratePseudoLabels',
    'LoadBoxes',
    'LoadPseudoLabels',
    'MergeClasses',
    'PackBox2SegInputs',
    'PadMaps',
]
