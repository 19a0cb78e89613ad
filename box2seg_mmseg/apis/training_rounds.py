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

from ..boxes import BoxAnnotations, ReadingReport, require_boxes
from ..datasets import BoxSupervisedDataset
from ..errors import UsageError
from ..files import (
    hash_of,
    only_run,
    record_arguments,
    replacing,
    write_json,
)
from ..id_lists import write_lines
from ..installed import find_config
from ..model_config import prediction_pipeline, read_config
from ..pseudo_labels import StoreError, generate_pseudo_labels
from ..pseudo_labels.label_check import check_label_folder
from ..pseudo_labels.store import png_path
from .cross_fitted import forget_networks
from .refined_labels import RefinedLabels

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
    ``round1/fold0/`` and so on, ``round1/labels`` and ``round1/final/``; the
    file ``round1/fold0.py`` is the config of ``round1/fold0/``. A call that
    was interrupted is resumed by the same call.

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
        final_config: Config of the last training, on the same data; default
            ``config``.
        train_command: Runs the stock tools; default
            ``python -m box2seg_mmseg``.
        train_arguments: More arguments of the stock train.py, such as
            ``['--launcher', 'pytorch']``.

    Raises:
        UsageError: A number is below 1.
    """

    config: str | Path
    labels: str | Path
    work_dir: str | Path
    num_folds: int = 2
    num_rounds: int = 1
    cfg_options: Sequence[str] = ()
    refine: Mapping[str, object] = field(default_factory=dict)
    final_config: str | Path | None = None
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
            StoreError: ``labels`` lacks an image or was made for other
                classes; or the labels of a round were made in another way.
            UsageError: There is no such config, its training data has no
                boxes, it has no test pipeline, or a fold would be empty; or
                ``work_dir`` was made with other arguments, images, boxes or
                labels.
            ValueError: An argument in ``refine`` is out of range.
        """
        # What is wrong with the arguments shows before the first training.
        RefinedLabels(str(self.config), '', str(self.labels), **self.refine)
        dataset = self._dataset(self.config)
        prediction_pipeline(self._read(self.config, self.labels), self.config)
        self._dataset(self.final_config or self.config)
        report = ReadingReport(skip_bad=dataset.skip_bad)
        source = dataset.box_source
        images = list(
            require_boxes(
                source.read(source.image_ids(dataset.ann_file), report),
                report,
                source.classes,
            )
        )
        for error in report.skipped:
            print(f'left out: {error}')
        ids = [image.image_id for image in images]
        for reason in check_label_folder(
            self.labels, ids, source.classes
        ).values():
            raise StoreError(
                f'{reason}; each image that has boxes needs a first label'
            )
        if len(ids) < self.num_folds:
            raise UsageError(
                f'{self.num_folds} folds need as many images. Got: {len(ids)}'
            )
        with only_run(self.work_dir):
            self._record_arguments(images)
            folds = self._write_folds(ids)
            newest = self.labels
            for number in range(1, self.num_rounds + 1):
                folder = self.work_dir / f'round{number}'
                labeler = self._train_folds(folder, folds, newest)
                newest = folder / 'labels'
                try:
                    summary = generate_pseudo_labels(
                        images,
                        labeler,
                        newest,
                        workers=None,
                        progress=True,
                        total=len(images),
                        classes=source.classes,
                    )
                except StoreError as error:
                    raise StoreError(
                        f'{error}. Here, delete {newest} to start over'
                    ) from None
                forget_networks()  # the next training needs the memory
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
            config = self._read(self.config, labels)
            config.train_dataloader.dataset.ann_file = str(train)
            for part in ('cfg', 'dataloader', 'evaluator'):
                config[f'val_{part}'] = None
            self._train(folder / f'fold{k}', config)
        return RefinedLabels(
            *networks_of_round(folder), str(self.labels), **self.refine
        )

    def train_final(self) -> Path:
        """Train on all images with the labels of the last round.

        Returns:
            The last checkpoint, in the folder ``final`` of the last round.

        Raises:
            RuntimeError: The training failed.
            UsageError: The folder has a training with another config.
        """
        last = self.work_dir / f'round{self.num_rounds}'
        config = self.final_config or self.config
        with only_run(self.work_dir):
            record_arguments(
                last / 'final/arguments.json',
                dict(config=_config_hash(config)),
            )
            return self._train(
                last / 'final', self._read(config, last / 'labels')
            )

    def _dataset(self, config: str | Path) -> BoxSupervisedDataset:
        """The training data of a config, checked but not read."""
        dataset = self._read(config, self.labels).train_dataloader.dataset
        cls = DATASETS.get(dataset.type)
        if cls is None or not issubclass(cls, BoxSupervisedDataset):
            raise UsageError(
                f'{config}: its training data must be a '
                f'BoxSupervisedDataset. Got: {dataset.type}'
            )
        return DATASETS.build(dataset | dict(pipeline=[], lazy_init=True))

    def _read(self, config: str | Path, labels: Path) -> Config:
        """A config with the overrides, to train with these labels."""
        result = read_config(find_config(config))
        if self.cfg_options:
            # As train.py parses them: a number is no string.
            parser = ArgumentParser()
            parser.add_argument('--options', nargs='+', action=DictAction)
            args = parser.parse_args(['--options', *self.cfg_options])
            result.merge_from_dict(args.options)
        result.train_dataloader.dataset.pseudo_label_dir = str(labels)
        return result

    def _record_arguments(self, images: Sequence[BoxAnnotations]) -> None:
        """Refuse a folder that was made with other arguments or data."""
        images = sorted(images, key=lambda image: image.image_id)
        ids = '\n'.join(image.image_id for image in images)
        boxes, labels = [], []
        for image in images:
            boxes += [image.boxes.tobytes(), image.labels.tobytes()]
            path = png_path(self.labels, image.image_id)
            labels.append(hash_of(path.read_bytes()).encode())
        record_arguments(
            self.work_dir / 'rounds.json',
            dict(
                config=_config_hash(self.config),
                split=f'{len(images)} images ({hash_of(ids.encode())[:12]})',
                boxes=hash_of(*boxes),
                labels=f'{self.labels} ({hash_of(*labels)[:12]})',
                num_folds=self.num_folds,
                cfg_options=list(self.cfg_options),
                refine=RefinedLabels.recorded(self.refine),
            ),
        )

    def _write_folds(self, ids: Sequence[str]) -> list[tuple[Path, Path]]:
        """For each fold the split to train on and the one to label.

        Images of neighbouring ids, which are often alike, are in different
        folds.
        """
        ids, result = sorted(ids), []
        folder = self.work_dir / 'folds'
        for k in range(self.num_folds):
            inside = ids[k :: self.num_folds]
            outside = sorted(set(ids) - set(inside)) or inside
            paths = folder / f'train{k}.txt', folder / f'label{k}.txt'
            for path, names in zip(paths, (outside, inside), strict=True):
                write_lines(path, names)
            result.append(paths)
        return result

    def _train(self, folder: Path, config: Config) -> Path:
        """Train to the end, resume, or find that this was done.

        Returns:
            The last checkpoint.
        """
        checkpoint = _finished(folder)
        if checkpoint is not None:
            return checkpoint
        # A file, because --cfg-options cannot hold a path with a space.
        path = folder.with_suffix('.py')
        with replacing(path) as part:
            part.write_text(config.pretty_text, encoding='utf-8')
        command = [*self.train_command, 'train', str(path)]
        command += [*self.train_arguments, '--work-dir', str(folder)]
        if (folder / 'last_checkpoint').exists():
            command.append('--resume')
        print(shlex.join(command), flush=True)
        with subprocess.Popen(command) as process:
            try:
                status = process.wait()
            except BaseException:
                process.terminate()  # and the processes that it has started
                # After Ctrl-C, Popen would not wait until it writes no more.
                process.wait()
                raise
        if status != 0:
            raise RuntimeError(
                f'{folder}: the training failed; its messages are above'
            )
        name = Path((folder / 'last_checkpoint').read_text().strip()).name
        write_json(folder / _FINISHED, dict(checkpoint=name))
        return folder / name
