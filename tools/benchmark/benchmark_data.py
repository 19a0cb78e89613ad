"""What the rows of the benchmark train on and are tested on."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from benchmark_rows import Row, noise_name, share_name
from corrected_labels import write_corrected_labels
from label_folder import make_label_folder
from missing_objects import write_masks_with_missing_objects

from box2seg_mmseg.boxes import (
    COCOJSON,
    VOC_CLASSES,
    VOCXML,
    BoxAnnotations,
    add_box_noise,
    write_voc_xml,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.id_lists import read_split, sample_split, write_lines
from box2seg_mmseg.pseudo_labels import build_labeler, check_label_folder

LABELERS = dict(
    box_fill=dict(type='BoxFill'),
    box_inner=dict(type='BoxFill', inner=0.2),
    grabcut=dict(type='GrabCut'),
    stable=dict(type='GrabCut', ignore_unstable=0.75),
)
# Labels that need edge maps or a network; docs/pseudo_labels.md has the
# commands that make them.
PREPARED = ('plus', 'plus-i', 'deep')
# How many rounds, from GrabCut's labels.
ROUNDS = {'round1': 1, 'round2': 2, 'round3': 3}
MISSING_SHARE = 0.1
COCO_MINI = 'coco-mini'  # a folder beside the photographs
# Whether GrabCut's missed or its wrong foreground is corrected.
CORRECTED = {'missed-corrected': True, 'wrong-corrected': False}


class BenchmarkData:
    """Names the data of each row, and makes its labels, splits and boxes.

    Args:
        data_root: The photographs, in VOCdevkit's layout.
        out_dir: Where labels, splits and noisy boxes go.
        make_rounds: Makes the labels of rounds: takes the row of the
            networks, which trains on the first labels, their folder, the
            folder to write to and the number of rounds.
        workers: Processes that make pseudo labels; None is one per core.
    """

    def __init__(
        self,
        data_root: Path,
        out_dir: Path,
        make_rounds: Callable[[Row, Path, Path, int], object],
        workers: int | None = None,
    ) -> None:
        self.data_root = data_root
        self.out_dir = out_dir
        self.make_rounds = make_rounds
        self.workers = workers
        self.image_ids = read_split(self._list('train'))
        self._made: set[Path] = set()  # in this process

    def train_options(self, row: Row) -> dict[str, object]:
        """Options of the training set of a row.

        Args:
            row: The row; nothing is made.

        Returns:
            Arguments of the dataset.

        Raises:
            UsageError: The data lacks what the row needs.
        """
        if row.other_data:
            return dict(
                type='BoxSupervisedCOCODataset',
                data_root=self._coco_mini(),
                ann_file='train.txt',
                pseudo_label_dir=self._label_dir(row),
            )
        options: dict[str, object] = dict(data_root=self.data_root)
        if row.labels is not None:
            options['pseudo_label_dir'] = self._label_dir(row)
        if row.missing:
            options |= dict(
                pseudo_label_dir=None,
                mask_ann_file=self._list('train'),
                mask_dir=self.out_dir / 'missing',
            )
        if row.noise is not None:
            options['box_dir'] = self._box_dir(row.noise)
        if row.clean:
            options['ann_file'] = self._list('train_clean')
        if row.mask_share is not None:
            key = 'ann_file' if row.labels is None else 'mask_ann_file'
            options[key] = self._split(row.mask_share)
        return options

    def test_options(self, row: Row) -> dict[str, object]:
        """Options of the test set of a row.

        Args:
            row: The row.

        Returns:
            Arguments of the dataset.

        Raises:
            UsageError: The data lacks what the row needs.
        """
        options: dict[str, object] = dict(data_root=self.data_root)
        if row.clean:
            options['ann_file'] = self._list('val_clean')
        return options

    def make(self, row: Row) -> None:
        """Make what the training set of a row reads.

        Args:
            row: The row. What this object has made before is not made again.

        Raises:
            RuntimeError: An image could not be labelled.
            UsageError: The data lacks what the row needs.
        """
        if row.mask_share is not None:
            path = self._split(row.mask_share)
            write_lines(path, sample_split(self.image_ids, row.mask_share))
        if row.missing:
            write_masks_with_missing_objects(
                self._annotations(row),
                self.data_root / 'SegmentationClass',
                self.out_dir / 'missing',
                MISSING_SHARE,
            )
        if row.noise is not None:
            folder = self._box_dir(row.noise)
            folder.mkdir(parents=True, exist_ok=True)
            for item in self._annotations(row):
                write_voc_xml(folder / f'{item.image_id}.xml', item)
        if row.labels is not None and self._label_dir(row) not in self._made:
            self._make_labels(row)
            self._made.add(self._label_dir(row))

    def _make_labels(self, row: Row) -> None:
        if row.labels in PREPARED:
            missing = check_label_folder(
                self._label_dir(row), self.image_ids, VOC_CLASSES
            )
            for reason in missing.values():
                raise UsageError(reason)
            return
        if row.labels in ROUNDS:
            source = replace(row, labels='grabcut')
            self.make(source)
            self.make_rounds(
                source,
                self._label_dir(source),
                self._rounds_dir(row),
                ROUNDS[row.labels],
            )
            return
        if row.labels in CORRECTED:
            source = Row('grabcut', '')
            self.make(source)
            write_corrected_labels(
                self.image_ids,
                self._label_dir(source),
                self.data_root / 'SegmentationClass',
                self._label_dir(row),
                missed=CORRECTED[row.labels],
            )
            return
        annotations = self._annotations(row)
        make_label_folder(
            annotations,
            len(annotations),
            build_labeler(LABELERS[row.labels]),
            self._label_dir(row),
            self.workers,
        )

    def _annotations(self, row: Row) -> list[BoxAnnotations]:
        if row.other_data:
            root = self._coco_mini()
            ids = read_split(root / 'train.txt')
            return list(COCOJSON(root).read(ids))
        found = list(VOCXML(self.data_root).read(self.image_ids))
        if row.noise is not None:
            found = [add_box_noise(item, *row.noise) for item in found]
        return found

    def _label_dir(self, row: Row) -> Path:
        if row.labels in ROUNDS:
            return self._rounds_dir(row) / f'round{ROUNDS[row.labels]}/labels'
        return self.out_dir / _labels_name(row, row.labels)

    def _rounds_dir(self, row: Row) -> Path:
        name = _labels_name(row, 'grabcut')
        if row.suspects:
            name += '_suspects'
        return self.out_dir / 'rounds' / name

    def _box_dir(self, noise: tuple[str, float]) -> Path:
        return self.out_dir / f'boxes_{noise_name(*noise)}'

    def _split(self, share: Fraction) -> Path:
        return self.out_dir / f'train_{share_name(share)}.txt'

    def _list(self, name: str) -> Path:
        path = self.data_root / f'ImageSets/Segmentation/{name}.txt'
        if not path.is_file():
            raise UsageError(
                f'{path}: no such split file; it lists one image id per line'
            )
        return path

    def _coco_mini(self) -> Path:
        root = self.data_root.parent / COCO_MINI
        if not root.is_dir():
            raise UsageError(
                f'{root}: no such folder; put coco-mini beside '
                f'{self.data_root.name}, or leave out the rows that need it'
            )
        return root


def _labels_name(row: Row, labels: str) -> str:
    """The folder of labels made from a row's boxes."""
    name = labels
    if row.other_data:
        name += f'_{COCO_MINI}'
    if row.noise is not None:
        name += f'_{noise_name(*row.noise)}'
    return name
