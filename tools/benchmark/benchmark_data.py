"""What the rows of the benchmark train on."""

from fractions import Fraction
from functools import cache
from pathlib import Path

from benchmark_rows import Row, noise_name, share_name
from corrected_labels import write_corrected_labels
from missing_objects import write_masks_with_missing_objects

from box2seg_mmseg.apis.label_folder import make_label_folder
from box2seg_mmseg.boxes import (
    BoxAnnotations,
    add_box_noise,
    iter_coco_json,
    iter_voc_xml,
    write_voc_xml,
)
from box2seg_mmseg.datasets.sample_split import sample_split
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import hash_of
from box2seg_mmseg.id_lists import read_split
from box2seg_mmseg.pseudo_labels import build_labeler

LABELERS = dict(
    box_fill=dict(type='BoxFill'),
    box_inner=dict(type='BoxFill', inner=0.2),
    grabcut=dict(type='GrabCut'),
)
MISSING_SHARE = 0.1
COCO_MINI = 'coco-mini'  # beside the photographs
# Whether GrabCut's missed or its wrong foreground is corrected.
CORRECTED = {'missed-corrected': True, 'wrong-corrected': False}


class BenchmarkData:
    """Makes pseudo labels, splits and harmed annotations, each once.

    Args:
        data_root: The photographs, in VOCdevkit's layout.
        out_dir: Where everything is made.
        workers: Processes that make pseudo labels; None is one a core.
    """

    def __init__(
        self, data_root: Path, out_dir: Path, workers: int | None = None
    ) -> None:
        self.data_root = data_root
        self.out_dir = out_dir
        self.workers = workers
        self.image_ids = read_split(self._list('train'))
        # What was made or read in this process is not looked at again: the
        # seeds of a row share everything, rows may share labels.
        self.dataset_options = cache(self.dataset_options)
        self._make_labels = cache(self._make_labels)
        self._hash_split = cache(self._hash_split)
        self._hash_coco_mini = cache(self._hash_coco_mini)

    def dataset_options(self, row: Row) -> dict[str, Path]:
        """What the training set of a row has to be told.

        Args:
            row: The row; what it needs is made.

        Returns:
            Arguments of the dataset.
        """
        if row.other_data:
            return self._other_data(row.labels)
        options = dict(data_root=self.data_root)
        if row.labels is not None:
            options['pseudo_label_dir'] = self._make_labels(
                row.labels, row.noise
            )
        if row.noise is not None:
            options['box_dir'] = self._noisy_boxes(row.noise)
        if row.clean:
            options['ann_file'] = self._list('train_clean')
        if row.mask_share is not None:
            key = 'ann_file' if row.labels is None else 'mask_ann_file'
            options[key] = self._split(row.mask_share)
        return options

    def test_options(self, row: Row) -> dict[str, Path]:
        """What the test set of a row has to be told.

        Args:
            row: The row.

        Returns:
            Arguments of the dataset.
        """
        options = dict(data_root=self.data_root)
        if row.clean:
            options['ann_file'] = self._list('val_clean')
        return options

    def identity(self, row: Row) -> tuple:
        """What decides a row's data, wherever its files are.

        Args:
            row: The row; nothing is made.

        Returns:
            Hashes of the photographs, boxes and masks that it trains and is
            tested on, and what makes its labels.
        """
        suffix = '_clean' if row.clean else ''
        train = (
            self._hash_coco_mini()
            if row.other_data
            else self._hash_split(f'train{suffix}')
        )
        val = self._hash_split(f'val{suffix}')
        recipe = LABELERS.get(row.labels)
        if row.labels in CORRECTED:
            recipe = LABELERS['grabcut']
        if recipe is not None:
            recipe = build_labeler(recipe).config
        if row.labels == 'missing':
            recipe = MISSING_SHARE
        return train, val, recipe

    def _hash_split(self, name: str) -> str:
        paths = [
            self.data_root / f'{folder}/{image_id}.{suffix}'
            for image_id in read_split(self._list(name))
            for folder, suffix in (
                ('JPEGImages', 'jpg'),
                ('Annotations', 'xml'),
                ('SegmentationClass', 'png'),
            )
        ]
        return hash_of(*(path.read_bytes() for path in paths))

    def _hash_coco_mini(self) -> str:
        root = self._coco_mini()
        paths = [root / 'boxes.json']
        for name in read_split(root / 'train.txt'):
            paths.append(root / f'JPEGImages/{name}.jpg')
        return hash_of(*(path.read_bytes() for path in paths))

    def _list(self, name: str) -> Path:
        return self.data_root / f'ImageSets/Segmentation/{name}.txt'

    def _coco_mini(self) -> Path:
        root = self.data_root.parent / COCO_MINI
        if not root.is_dir():
            raise UsageError(
                f'{root}: no such folder; put coco-mini beside '
                f'{self.data_root.name}, or leave out the rows that need it'
            )
        return root

    def _other_data(self, labels: str) -> dict[str, Path]:
        root = self._coco_mini()
        ids = read_split(root / 'train.txt')
        label_dir = make_label_folder(
            iter_coco_json(root / 'boxes.json', root / 'JPEGImages', ids),
            len(ids),
            build_labeler(LABELERS[labels]),
            self.out_dir / f'{labels}_{COCO_MINI}',
            self.workers,
        )
        return dict(data_root=root, pseudo_label_dir=label_dir)

    def _make_labels(self, name: str, noise: tuple[str, float] | None) -> Path:
        out_dir = self.out_dir / name
        masks = self.data_root / 'SegmentationClass'
        if name == 'missing':
            write_masks_with_missing_objects(
                self._annotations(), masks, out_dir, MISSING_SHARE
            )
            return out_dir
        if name in CORRECTED:
            write_corrected_labels(
                self.image_ids,
                self._make_labels('grabcut', None),
                masks,
                out_dir,
                missed=CORRECTED[name],
            )
            return out_dir
        if noise is not None:
            out_dir = out_dir.with_name(f'{name}_{noise_name(*noise)}')
        return make_label_folder(
            self._annotations(noise),
            len(self.image_ids),
            build_labeler(LABELERS[name]),
            out_dir,
            self.workers,
        )

    def _annotations(
        self, noise: tuple[str, float] | None = None
    ) -> list[BoxAnnotations]:
        found = list(iter_voc_xml(self.data_root, self.image_ids))
        if noise is not None:
            found = [add_box_noise(item, *noise) for item in found]
        return found

    def _noisy_boxes(self, noise: tuple[str, float]) -> Path:
        out_dir = self.out_dir / f'boxes_{noise_name(*noise)}'
        out_dir.mkdir(parents=True, exist_ok=True)
        for item in self._annotations(noise):
            write_voc_xml(out_dir / f'{item.image_id}.xml', item)
        return out_dir

    def _split(self, share: Fraction) -> Path:
        path = self.out_dir / f'train_{share_name(share)}.txt'
        drawn = sample_split(self.image_ids, share)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(''.join(f'{name}\n' for name in drawn))
        return path
