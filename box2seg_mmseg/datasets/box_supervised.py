"""Training images with boxes instead of masks."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.fileio import list_from_file
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..boxes import (
    BOX_SOURCES,
    AnnotationError,
    ReadingReport,
    build_box_source,
    require_boxes,
)
from ..label_maps import voc_palette
from ..pseudo_labels import check_label_folder
from .pipeline_check import check_pipeline


@DATASETS.register_module()
class BoxSupervisedDataset(BaseSegDataset):
    """A training set of images, boxes and, if stored, pseudo labels.

    It reads no ground-truth mask, so none can leak into training, unless
    ``mask_ann_file`` says which images have one. Validate and test with
    mmseg's own datasets. Each item has:

    - ``boxes``: ``(K, 4)`` float32 xyxy in pixels, half-open.
    - ``box_labels``: ``(K,)`` int64 in ``1..L``.
    - ``annotated_size``: ``(H, W)`` of the image.
    - ``num_classes``: ``L + 1``, the classes with the background.
    - ``pseudo_label_path``: The PNG that ``LoadPseudoLabels`` reads, if
      ``pseudo_label_dir`` or a mask of the image gives one.

    Args:
        ann_file: Split file in ``data_root`` with one image id on each line,
            or a split that the box source knows by name.
        data_root: The folder of the data set.
        box_source: Config of the box source: ``type``, such as ``'VOCXML'``,
            ``'COCOJSON'``, ``'OpenImagesCSV'``, ``'Detections'`` or
            ``'YOLOTxt'``, and its own arguments. The dataset adds
            ``data_root``, ``classes``, ``image_dir`` and ``image_suffix``.
        data_prefix: ``img_path``: the folder of the images in ``data_root``.
            Defaults to the box source's.
        img_suffix: Suffix of the image files, for box sources that take one.
            Defaults to the box source's.
        pseudo_label_dir: Folder of the stored pseudo labels,
            ``<image id>.png``; relative to the working directory like
            ``work_dir``. Not needed with ``GeneratePseudoLabels``, or if all
            images have masks.
        mask_ann_file: For mixed or full supervision: split file in
            ``data_root`` of the images whose masks replace their pseudo
            labels. It may name images that are not in ``ann_file``.
        mask_dir: Folder of these masks, in ``data_root``.
        balance_masks: Repeat the images with masks until they are as many as
            the others, so that about half of each batch has masks (our
            choice). This makes an epoch longer.
        skip_bad: Leave out bad boxes, and images without a readable
            annotation or label map, and log them, as the tools do with
            ``--skip-bad``.
        metainfo: ``classes`` (background first; a list, or a file with one on
            each line) and ``palette``. Defaults to the classes of the box
            source, which are PASCAL VOC's unless the annotations bring their
            own, and VOC's colours.
        **kwargs: As for mmseg's ``BaseSegDataset``.

    Raises:
        ValueError: ``data_prefix`` names anything but images,
            ``pseudo_label_dir`` is the folder of the masks,
            ``reduce_zero_label`` is set, the first class is not the
            background, there are more classes than a label map can hold, or
            a transform would not change image, boxes and labels alike.
        UsageError: A split file or an annotation file does not exist.
        AnnotationError: An annotation or a label map is missing or bad,
            without ``skip_bad``; or no image has a box.
        StoreError: The pseudo labels were made for other classes.
    """

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        box_source: Mapping[str, Any] = dict(type='VOCXML'),
        data_prefix: Mapping[str, str] | None = None,
        img_suffix: str | None = None,
        pseudo_label_dir: str | None = None,
        mask_ann_file: str | None = None,
        mask_dir: str = 'SegmentationClass',
        balance_masks: bool = False,
        skip_bad: bool = False,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs,
    ) -> None:
        data_prefix, metainfo = dict(data_prefix or {}), dict(metainfo or {})
        if kwargs.get('reduce_zero_label'):
            raise ValueError(
                f'{type(self).__name__}: remove reduce_zero_label; class 0 is '
                'the background here'
            )
        for key in data_prefix:
            if key != 'img_path':  # above all no seg_map_path
                raise ValueError(
                    f'{type(self).__name__} reads images and boxes only; '
                    f'remove {key} from data_prefix. Name the place of boxes '
                    'in box_source, of masks in mask_dir'
                )
        if pseudo_label_dir is not None and (
            Path(pseudo_label_dir).resolve()
            == Path(data_root, mask_dir).resolve()
        ):
            raise ValueError(
                f'{pseudo_label_dir}: is mask_dir, so it has ground-truth '
                'masks; remove pseudo_label_dir and name the images with '
                'masks in mask_ann_file'
            )
        self.pseudo_label_dir = pseudo_label_dir
        self.mask_ann_file = mask_ann_file
        self.mask_dir = mask_dir
        self.balance_masks = balance_masks
        self.skip_bad = skip_bad
        classes = metainfo.get('classes')
        if isinstance(classes, str):  # a file, as mmengine reads it
            classes = metainfo['classes'] = list_from_file(classes)
        if classes is not None and list(classes[:1]) != ['background']:
            raise ValueError(
                "The first of metainfo's classes must be 'background'. "
                f'Got: {list(classes[:1])}'
            )
        source = BOX_SOURCES[box_source.get('type')]
        given = dict(
            data_root=data_root,
            classes=None if classes is None else classes[1:],
            image_dir=data_prefix.setdefault(
                'img_path', source.default_image_dir
            ),
        )
        taken = [option.name for option in source.options]
        if img_suffix is not None and 'image_suffix' in taken:
            given['image_suffix'] = img_suffix
        self.box_source = build_box_source(given | dict(box_source))
        metainfo['classes'] = ('background', *self.box_source.classes)
        metainfo.setdefault(
            'palette', voc_palette()[: len(metainfo['classes'])].tolist()
        )
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            **kwargs,
        )
        check_pipeline(self.pipeline.transforms)

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> None:
        """No map: boxes and pseudo labels use the dataset's own classes."""

    def load_data_list(self) -> list[dict]:
        """One dict for each image; repeated images are at the end."""
        source = self.box_source
        image_ids = source.image_ids(self.ann_file)
        masked = set()
        if self.mask_ann_file is not None:
            path = Path(self.data_root, self.mask_ann_file)
            masked = set(source.image_ids(path))
        report = ReadingReport(skip_bad=self.skip_bad)
        annotations = source.read(image_ids, report)
        images = list(require_boxes(annotations, report, source.classes))
        unlabelled = self._unlabelled(
            [image.image_id for image in images], masked, report
        )
        data_list, with_mask = [], []
        for image in images:
            if image.image_id in unlabelled:
                continue
            item = dict(
                image_id=image.image_id,
                img_path=image.image_path,
                annotated_size=image.size,
                boxes=image.boxes,
                box_labels=image.labels,
                num_classes=len(self.metainfo['classes']),
                label_map=None,
                reduce_zero_label=False,
                seg_fields=[],
            )
            label_dir = self.pseudo_label_dir
            if image.image_id in masked:
                label_dir = Path(self.data_root, self.mask_dir)
                with_mask.append(item)
            if label_dir is not None:
                item['pseudo_label_path'] = str(
                    Path(label_dir, f'{image.image_id}.png')
                )
            data_list.append(item)
        if self.balance_masks and with_mask:
            others = len(data_list) - len(with_mask)
            times = max(1, round(others / len(with_mask)))
            data_list += with_mask * (times - 1)
        if report.other_classes:
            print_log('; '.join(report.summary()), 'current')
        for error in report.skipped:
            print_log(f'left out: {error}', 'current', logging.WARNING)
        return data_list

    def _unlabelled(
        self, image_ids: Sequence[str], masked: set[str], report: ReadingReport
    ) -> set[str]:
        """The images that have no readable label, noted in the report."""
        missing = {}
        for label_dir, wanted in (
            (self.pseudo_label_dir, [i for i in image_ids if i not in masked]),
            (
                Path(self.data_root, self.mask_dir),
                [i for i in image_ids if i in masked],
            ),
        ):
            if label_dir is not None and wanted:
                missing |= check_label_folder(
                    label_dir, wanted, self.box_source.classes
                )
        for reason in missing.values():
            report.bad(AnnotationError(reason))
        return set(missing)
