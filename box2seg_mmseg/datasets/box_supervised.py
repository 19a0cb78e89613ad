"""Training images with boxes instead of masks."""

import logging
from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.fileio import list_from_file
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset, PascalVOCDataset

from ..boxes import BoxAnnotations, ReadingReport
from ..label_maps import voc_palette


class BoxSupervisedDataset(BaseSegDataset, metaclass=ABCMeta):
    """A training set of images, boxes and, if stored, pseudo labels.

    A subclass says where the boxes come from (:meth:`read_boxes`).

    It knows no ground-truth mask, so none can leak into training, unless
    ``mask_ann_file`` says which images have one; validate and test with
    mmseg's own ``PascalVOCDataset``. Each item has ``boxes`` ``(K, 4)``
    float32 xyxy, ``box_labels`` ``(K,)`` int64 in ``1..L``, the
    ``annotated_size`` ``(H, W)`` of the image and, given
    ``pseudo_label_dir``, ``pseudo_label_path``.

    Args:
        ann_file: Split file with one image id a line, in ``data_root``.
        data_root: The folder of the data set.
        data_prefix: ``img_path``: the folder of the images in ``data_root``.
        pseudo_label_dir: Folder of the stored pseudo labels,
            ``<image id>.png``; relative to the working directory like
            ``work_dir``. Not needed with ``GeneratePseudoLabels``.
        mask_ann_file: For mixed supervision: split file, in ``data_root``, of
            the images whose masks take the place of their pseudo labels. It
            may name images that are not in ``ann_file``.
        mask_dir: Folder of these masks, in ``data_root``.
        balance_masks: Repeat the images that have masks until they are as
            many as the others, so that about half of each batch has masks
            (our choice). An epoch is longer by that.
        skip_bad: Leave bad annotations out and log them, as the tools do with
            ``--skip-bad``: a box, in VOC's XML a file and so its image.
        metainfo: ``classes`` (background first) and ``palette``; defaults to
            PASCAL VOC's classes and colours.
        **kwargs: As for mmseg's ``BaseSegDataset``.

    Raises:
        ValueError: ``data_prefix`` names a folder of masks, or the first
            class is not the background.
        FileNotFoundError: A split file is missing.
        AnnotationError: An annotation is missing or bad, without
            ``skip_bad``.
    """

    METAINFO = PascalVOCDataset.METAINFO

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        data_prefix: dict[str, str] = dict(img_path='JPEGImages'),
        pseudo_label_dir: str | None = None,
        mask_ann_file: str | None = None,
        mask_dir: str = 'SegmentationClass',
        balance_masks: bool = False,
        skip_bad: bool = False,
        metainfo: dict | None = None,
        **kwargs,
    ) -> None:
        if 'seg_map_path' in data_prefix:
            raise ValueError(
                f'{type(self).__name__} must not see masks: take '
                "seg_map_path out of data_prefix. Got: '"
                f"{data_prefix['seg_map_path']}'"
            )
        self.pseudo_label_dir = pseudo_label_dir
        self.mask_ann_file = mask_ann_file
        self.mask_dir = mask_dir
        self.balance_masks = balance_masks
        self.skip_bad = skip_bad
        metainfo = dict(metainfo or {})
        classes = metainfo.get('classes', self.METAINFO['classes'])
        if classes[0] != 'background':
            raise ValueError(
                "The first of metainfo's classes must be 'background'. "
                f'Got: {classes[0]!r}'
            )
        metainfo.setdefault('palette', voc_palette()[: len(classes)].tolist())
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            **kwargs,
        )

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> None:
        """No map: boxes and pseudo labels are in the dataset's own classes."""

    @abstractmethod
    def read_boxes(
        self, image_ids: list[str], report: ReadingReport
    ) -> Iterable[BoxAnnotations]:
        """Read the boxes of a split.

        The prefixes in ``self.data_prefix`` start with ``data_root`` already.

        Args:
            image_ids: The images of the split.
            report: Says whether bad annotations are skipped, and lists them.

        Returns:
            Their annotations.

        Raises:
            AnnotationError: An annotation is missing or bad, and bad ones
                are not skipped.
        """

    def load_data_list(self) -> list[dict]:
        """Read the split and the boxes of its images.

        Returns:
            One dict an image; those of repeated images at the end.
        """
        image_ids = _read_ids(self.ann_file)
        masked = set()
        if self.mask_ann_file is not None:
            masked = set(_read_ids(Path(self.data_root, self.mask_ann_file)))
        report = ReadingReport(skip_bad=self.skip_bad)
        data_list, with_mask = [], []
        for annotations in self.read_boxes(image_ids, report):
            item = dict(
                img_path=annotations.image_path,
                annotated_size=annotations.size,
                boxes=annotations.boxes,
                box_labels=annotations.labels,
                label_map=None,
                reduce_zero_label=False,
                seg_fields=[],
            )
            label_dir = self.pseudo_label_dir
            if annotations.image_id in masked:
                label_dir = Path(self.data_root, self.mask_dir)
            if label_dir is not None:
                item['pseudo_label_path'] = str(
                    Path(label_dir, f'{annotations.image_id}.png')
                )
            data_list.append(item)
            if annotations.image_id in masked:
                with_mask.append(item)
        if self.balance_masks and with_mask:
            others = len(data_list) - len(with_mask)
            times = max(1, round(others / len(with_mask)))
            data_list += with_mask * (times - 1)
        for error in report.skipped:
            print_log(f'left out: {error}', 'current', logging.WARNING)
        return data_list


def _read_ids(path: str | Path) -> list[str]:
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: no such split file; it lists one image id a line'
        )
    lines = list_from_file(path, encoding='utf-8-sig')
    return [line.strip() for line in lines if line.strip()]
