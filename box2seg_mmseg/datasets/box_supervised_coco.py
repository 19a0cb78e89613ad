"""Boxes from COCO's instance annotations."""

from mmseg.datasets import PascalVOCDataset
from mmseg.registry import DATASETS

from .box_supervised import BoxSupervisedDataset


@DATASETS.register_module()
class BoxSupervisedCOCODataset(BoxSupervisedDataset):
    """A :class:`BoxSupervisedDataset` with the box source ``COCOJSON``.

    Args:
        ann_file: Split file in ``data_root`` with one image on each line: its
            ``file_name`` without suffix.
        data_root: The folder of the data set.
        box_file: The JSON file, in ``data_root``.
        **kwargs: As for :class:`BoxSupervisedDataset`.
    """

    METAINFO = PascalVOCDataset.METAINFO

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        box_file: str = 'boxes.json',
        **kwargs,
    ) -> None:
        box_source = dict(type='COCOJSON', box_file=box_file)
        super().__init__(ann_file, data_root, box_source, **kwargs)
