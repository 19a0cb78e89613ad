"""Boxes from PASCAL VOC's XML files."""

from collections.abc import Iterable

from mmseg.registry import DATASETS

from ..boxes import BoxAnnotations, ReadingReport, iter_voc_xml
from .box_supervised import BoxSupervisedDataset


@DATASETS.register_module()
class BoxSupervisedVOCDataset(BoxSupervisedDataset):
    """A training set in the layout of VOCdevkit/VOC2012.

    Args:
        ann_file: Split file with one image id a line, in ``data_root``.
        data_root: The folder of the data set.
        data_prefix: ``img_path`` and ``box_path``: the folders of images and
            XML files in ``data_root``.
        box_dir: Folder of the XML files, if they are elsewhere than
            ``data_prefix`` says; relative to the working directory.
        img_suffix: Suffix of the image files.
        **kwargs: As for :class:`BoxSupervisedDataset`.
    """

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        data_prefix: dict[str, str] = dict(
            img_path='JPEGImages', box_path='Annotations'
        ),
        box_dir: str | None = None,
        img_suffix: str = '.jpg',
        **kwargs,
    ) -> None:
        self.box_dir = box_dir
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=dict(dict(box_path='Annotations'), **data_prefix),
            img_suffix=img_suffix,
            **kwargs,
        )

    def read_boxes(
        self, image_ids: list[str], report: ReadingReport
    ) -> Iterable[BoxAnnotations]:
        """Read the XML file of each image."""
        return iter_voc_xml(
            '',
            image_ids,
            classes=self.metainfo['classes'][1:],
            image_dir=self.data_prefix['img_path'],
            xml_dir=self.box_dir or self.data_prefix['box_path'],
            image_suffix=self.img_suffix,
            report=report,
        )
