"""Rounds of training and labelling, cross-fitted."""

import json
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config, DictAction
from mmseg.registry import DATASETS

from ..boxes import ReadingReport, require_boxes
from ..datasets import BoxSupervisedDataset
from ..errors import UsageError
from ..files import hash_of, only_run, record_arguments, write_json
from ..installed import find_config
from ..models.post_processing import DenseCRF
from ..pseudo_labels import generate_pseudo_labels
from .refined_labels import RefinedLabels

_NO_VALIDATION = ('val_cfg=None', 'val_dataloader=None', 'val_evaluator=None')
_DATASET = 'train_dataloader.dataset'
_FINISHED = 'finished.json'


def networks_of_round(folder: str | Path) -> tuple[str, dict[str, str]]:
    """The networks of a round, for :class:`CrossFittedNetworks`.

    Args:
        folder: ``WORK_DIR/roundN`` of :class:`TrainingRounds`.

    Returns:
        The config, and for each checkpoint the split file of its fold.

    Raises:
        UsageError: A network is missing.
    """
    folder, checkpoints = Path(folder).resolve(), {}
    splits = sorted((folder.parent / 'folds').glob('label*.txt'))
    for split in splits:
        fold = folder / split.stem.replace('label', 'fold')
        checkpoint = _finished(fold)
        if checkpoint is None:
            raise UsageError(
                f'{fold / _FINISHED}: no such file; finish the round with '
                'train_rounds'
            )
        checkpoints[str(checkpoint)] = str(split)
    if not splits:
        raise UsageError(
            f'{folder}: is not a round of train_rounds; give a folder such '
            'as work_dirs/rounds/round1'
        )
    configs = list((folder / 'fold0').glob('*.py'))
    if len(configs) != 1:
        raise UsageError(
            f'{folder / "fold0"}: must hold the config of its training and no '
            f'other .py file. Got: {len(configs)}'
        )
    return str(configs[0]), checkpoints


def _config_hash(config: str | Path) -> str:
    """The same for all files of the same values."""
    values = Config.fromfile(find_config(config)).to_dict()
    return hash_of(json.dumps(values, sort_keys=True, default=str).encode())


def _finished(folder: Path) -> Path | None:
    """The last checkpoint of a training that has finished."""
    path = folder / _FINISHED
    if not path.exists():
        return None
    return folder / json.loads(path.read_text())['checkpoint']


@dataclass
class TrainingRounds:
    """Trains networks on parts of a split and labels the other parts.

    In each round, the split is divided into folds; for each fold, the stock
    train.py trains a network on the images of the other folds, and the
    network refines the labels of this fold's images (:class:`RefinedLabels`).
    So no network labels an image that it has memorised. A round trains on the
    newest labels and mixes the predictions with the first ones (our choice).

    Everything is below ``work_dir``: ``folds/``, and for each round
    ``round1/fold0/`` and so on, ``round1/labels`` and ``round1/final/``. A
    call that was interrupted is resumed by the same call.

    Args:
        config: Config of the network, a file or the name of an installed
            one. Its training data must be a :class:`BoxSupervisedDataset`.
        labels: Folder of the first labels, such as GrabCut's.
        work_dir: Where everything goes.
        num_folds: Number of folds; with 1, a network labels the images that
            it was trained on.
        num_rounds: Number of rounds.
        cfg_options: Overrides of the config, as of ``--cfg-options``.
        refine: Arguments of :class:`RefinedLabels`, such as ``gamma``.
        train_command: Runs the stock tools; default
            ``python -m box2seg_mmseg``.
        train_arguments: More arguments of the stock train.py, such as
            ``['--launcher', 'pytorch']``.

    Raises:
        UsageError: There is no such config, its training data has no boxes,
            or the folds would be empty.
    """

    config: str | Path
    labels: str | Path
    work_dir: str | Path
    num_folds: int = 2
    num_rounds: int = 1
    cfg_options: Sequence[str] = ()
    refine: Mapping[str, object] = field(default_factory=dict)
    train_command: Sequence[str] = (sys.executable, '-m', 'box2seg_mmseg')
    train_arguments: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ('num_folds', 'num_rounds'):
            if getattr(self, name) < 1:
                raise UsageError(
                    f'{name} must be >= 1. Got: {getattr(self, name)}'
                )
        self.labels = Path(self.labels).resolve()
        self.work_dir = Path(self.work_dir).resolve()

    def run(self) -> Path:
        """Run all rounds that are not finished.

        Returns:
            The folder of the last round's labels.

        Raises:
            FolderError: Another run is using ``work_dir``.
            ImportError: The labels need pydensecrf, which is not installed.
            RuntimeError: A training failed, or images were not labelled.
            UsageError: ``work_dir`` was made with other arguments or images.
        """
        if self.refine.get('crf', True):
            DenseCRF()  # says so before the first training
        dataset = self._dataset()
        report = ReadingReport(skip_bad=dataset.skip_bad)
        source = dataset.box_source
        images = list(
            require_boxes(
                source.read(source.image_ids(dataset.ann_file), report),
                report,
                source.classes,
            )
        )
        with only_run(self.work_dir):
            ids = [image.image_id for image in images]
            self._record_arguments(ids)
            folds = self._write_folds(ids)
            newest = self.labels
            for number in range(1, self.num_rounds + 1):
                folder = self.work_dir / f'round{number}'
                labeler = self._train_folds(folder, folds, newest)
                newest = folder / 'labels'
                summary = generate_pseudo_labels(
                    images,
                    labeler,
                    newest,
                    workers=None,
                    progress=True,
                    total=len(images),
                    classes=source.classes,
                )
                if summary.errors:
                    raise RuntimeError('; '.join(summary.errors))
                for reason, count in sorted(summary.fallbacks.items()):
                    print(f'round {number}: {count} boxes: {reason}')
        return newest

    def _train_folds(
        self, folder: Path, folds: Sequence[tuple[Path, Path]], labels: Path
    ) -> RefinedLabels:
        """Train the networks of a round; return the labeler that uses them."""
        for k, (train, _) in enumerate(folds):
            options = [
                f'{_DATASET}.ann_file={train}',
                f'{_DATASET}.pseudo_label_dir={labels}',
                *_NO_VALIDATION,
            ]
            self._train(folder / f'fold{k}', options)
        return RefinedLabels(
            *networks_of_round(folder), str(self.labels), **self.refine
        )

    def train_final(self, config: str | Path) -> Path:
        """Train on all images with the labels of the last round.

        Args:
            config: Config of the network, on the same data.

        Returns:
            The last checkpoint, in the folder ``final`` of the last round.

        Raises:
            RuntimeError: The training failed.
            UsageError: The folder has a training with another config.
        """
        last = self.work_dir / f'round{self.num_rounds}'
        with only_run(self.work_dir):
            record_arguments(
                last / 'final/arguments.json',
                dict(config=_config_hash(config)),
            )
            return self._train(
                last / 'final',
                [f'{_DATASET}.pseudo_label_dir={last / "labels"}'],
                config,
            )

    def _dataset(self) -> BoxSupervisedDataset:
        config = Config.fromfile(find_config(self.config))
        if self.cfg_options:
            # As train.py parses them: a number is no string.
            parser = ArgumentParser()
            parser.add_argument('--options', nargs='+', action=DictAction)
            args = parser.parse_args(['--options', *self.cfg_options])
            config.merge_from_dict(args.options)
        dataset = config.train_dataloader.dataset
        cls = DATASETS.get(dataset.type)
        if cls is None or not issubclass(cls, BoxSupervisedDataset):
            raise UsageError(
                f'{self.config}: its training data must be a '
                f'BoxSupervisedDataset. Got: {dataset.type}'
            )
        return DATASETS.build(
            dataset
            | dict(
                pseudo_label_dir=str(self.labels), pipeline=[], lazy_init=True
            )
        )

    def _record_arguments(self, ids: Sequence[str]) -> None:
        """Refuse a folder that was made with other arguments or images."""
        split = hash_of('\n'.join(sorted(ids)).encode())
        record_arguments(
            self.work_dir / 'rounds.json',
            dict(
                config=_config_hash(self.config),
                labels=str(self.labels),
                split=f'{len(ids)} images ({split[:12]})',
                num_folds=self.num_folds,
                cfg_options=list(self.cfg_options),
                refine=dict(self.refine),
            ),
        )

    def _write_folds(self, ids: Sequence[str]) -> list[tuple[Path, Path]]:
        """For each fold the split to train on and the one to label.

        Images of neighbouring ids, which are often alike, are in different
        folds.
        """
        if len(ids) < self.num_folds:
            raise UsageError(
                f'{self.num_folds} folds need as many images. Got: {len(ids)}'
            )
        ids, result = sorted(ids), []
        folder = self.work_dir / 'folds'
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(self.num_folds):
            inside = ids[k :: self.num_folds]
            outside = sorted(set(ids) - set(inside)) or inside
            paths = folder / f'train{k}.txt', folder / f'label{k}.txt'
            for path, names in zip(paths, (outside, inside), strict=True):
                path.write_text(''.join(f'{name}\n' for name in names))
            result.append(paths)
        return result

    def _train(
        self,
        folder: Path,
        options: Sequence[str],
        config: str | Path | None = None,
    ) -> Path:
        """Train to the end, resume, or find that this was done.

        Returns:
            The last checkpoint.
        """
        checkpoint = _finished(folder)
        if checkpoint is not None:
            return checkpoint
        path = str(find_config(config or self.config))
        command = [*self.train_command, 'train', path, *self.train_arguments]
        command += ['--work-dir', str(folder)]
        if (folder / 'last_checkpoint').exists():
            command.append('--resume')
        command += ['--cfg-options', *self.cfg_options, *options]
        print(shlex.join(command), flush=True)
        if subprocess.run(command).returncode != 0:
            raise RuntimeError(
                f'{folder}: the training failed; its messages are above'
            )
        name = Path((folder / 'last_checkpoint').read_text().strip()).name
        write_json(folder / _FINISHED, dict(checkpoint=name))
        return folder / name
