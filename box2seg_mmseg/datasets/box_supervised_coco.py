"""Boxes from COCO's instance annotations."""

from collections.abc import Iterable
from pathlib import Path

from mmseg.registry import DATASETS

from ..boxes import BoxAnnotations, ReadingReport, iter_coco_json
from .box_supervised import BoxSupervisedDataset


@DATASETS.register_module()
class BoxSupervisedCOCODataset(BoxSupervisedDataset):
    """A training set whose boxes are in a COCO JSON file.

    Of the categories those are used that ``metainfo``'s classes name; by
    default PASCAL VOC's 20, under COCO's names for them.

    Args:
        ann_file: Split file with one image a line, in ``data_root``: its
            ``file_name`` without suffix.
        data_root: The folder of the data set.
        box_file: The JSON file, in ``data_root``.
        **kwargs: As for :class:`BoxSupervisedDataset`.
    """

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        box_file: str = 'boxes.json',
        **kwargs,
    ) -> None:
        self.box_file = box_file
        super().__init__(ann_file=ann_file, data_root=data_root, **kwargs)

    def read_boxes(
        self, image_ids: list[str], report: ReadingReport
    ) -> Iterable[BoxAnnotations]:
        """Read the JSON file."""
        return iter_coco_json(
            Path(self.data_root, self.box_file),
            self.data_prefix['img_path'],
            image_ids,
            classes=self.metainfo['classes'][1:],
            report=report,
        )
