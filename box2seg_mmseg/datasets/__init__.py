"""mmseg datasets and transforms that know boxes."""

from .. import checked_toolbox  # noqa: F401
from .box_supervised import BoxSupervisedDataset
from .box_supervised_coco import BoxSupervisedCOCODataset
from .box_supervised_voc import BoxSupervisedVOCDataset
from .transforms import (
    GeneratePseudoLabels,
    LoadBoxes,
    LoadPseudoLabels,
    MergeClasses,
    PackBox2SegInputs,
    PadMaps,
)

__all__ = [
    'BoxSupervisedCOCODataset',
    'BoxSupervisedDataset',
    'BoxSupervisedVOCDataset',
    'GeneratePseudoLabels',
    'LoadBoxes',
    'LoadPseudoLabels',
    'MergeClasses',
    'PackBox2SegInputs',
    'PadMaps',
]
