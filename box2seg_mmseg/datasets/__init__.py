"""mmseg datasets and transforms that know boxes."""

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
    'BoxSupervisedVOCDataset',
    'GeneratePseudoLabels',
    'LoadBoxes',
    'LoadPseudoLabels',
    'MergeClasses',
    'PackBox2SegInputs',
    'PadMaps',
]
