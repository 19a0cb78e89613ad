"""Boxes from PASCAL VOC's XML files."""

from pathlib import Path

from mmseg.datasets import PascalVOCDataset
from mmseg.registry import DATASETS

from .box_supervised import BoxSupervisedDataset


@DATASETS.register_module()
class BoxSupervisedVOCDataset(BoxSupervisedDataset):
    """A :class:`BoxSupervisedDataset` with the box source ``VOCXML``.

    Args:
        ann_file: Split file in ``data_root`` with one image id on each line.
        data_root: A folder in the layout of VOCdevkit/VOC2012.
        box_dir: Folder of the XML files, relative to the working directory.
            Defaults to ``Annotations`` in ``data_root``.
        **kwargs: As for :class:`BoxSupervisedDataset`.
    """

    METAINFO = PascalVOCDataset.METAINFO

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        box_dir: str | None = None,
        **kwargs,
    ) -> None:
        box_source = dict(type='VOCXML')
        if box_dir is not None:
            box_source['xml_dir'] = str(Path(box_dir).absolute())
        super().__init__(ann_file, data_root, box_source, **kwargs)
