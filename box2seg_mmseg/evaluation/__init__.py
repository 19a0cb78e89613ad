"""Metrics of label maps."""

from .. import checked_toolbox  # noqa: F401
from .iou_tables import format_iou_table, write_iou_csv
from .label_areas import LabelAreas
from .label_folders import evaluate_label_folders
from .tag_iou_metric import TagIoUMetric

__all__ = [
    'LabelAreas',
    'TagIoUMetric',
    'evaluate_label_folders',
    'format_iou_table',
    'write_iou_csv',
]
