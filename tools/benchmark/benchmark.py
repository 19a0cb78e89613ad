"""Rows times seeds through the stock tools, and the table of the results."""

import json
import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import cached_backbone  # noqa: F401, the networks of rounds need it
from benchmark_data import COCO_MINI, BenchmarkData
from benchmark_families import FAMILIES, choose_rows
from benchmark_rows import HEAD, Row
from benchmark_runs import (
    Key,
    current_runs,
    finished_runs,
    in_order,
    recorded_runs,
    with_names,
    write_run,
)
from benchmark_table import write_tables
from mmengine.config import Config
from stock_tools import fetch_backbone, newest_checkpoint, run_experiment

from box2seg_mmseg.apis.training_rounds import TrainingRounds
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import hash_of, only_run, write_json
from box2seg_mmseg.models.post_processing import DenseCRF

WEIGHTS = 'efficientnet-lite2'
SUSPECTS = {f'{HEAD}.ignore_suspects.threshold': 0.2}
LAUNCHER = Path(__file__).with_name('_run_stock_tool.py')


def run_benchmark(
    config_root: str | Path,
    data_root: str | Path,
    work_dir: str | Path,
    only: Sequence[str] | None = None,
    num_seeds: int = 3,
    docs: str | Path | None = None,
) -> str:
    """Run the rows that are missing, and write the table after each run.

    Each run has a folder ``<family>/<row>/seed<n>`` in ``work_dir``. A
    finished run is not repeated; an interrupted one resumes from its newest
    checkpoint. The tables contain every run in ``work_dir``, those of earlier
    calls too, and the runs that ``docs`` records from elsewhere.

    Args:
        config_root: The folder ``configs`` of the project.
        data_root: ``voc-mini``, or a folder like it: VOCdevkit's layout,
            VOC's classes, the splits ``train`` and ``val``.
        work_dir: Where everything goes: runs, pseudo labels, the backbone's
            features and ``table.md``, ``table.csv``, ``table.json``.
        only: The rows to run, as for :func:`choose_rows`.
        num_seeds: Runs of each row, with the seeds 0, 1, ...
        docs: A Markdown file to write the table to as well, with a CSV and a
            JSON file beside it. The runs in that JSON file, even if another
            machine made them, are not repeated, unless the row's config has
            changed since.

    Returns:
        The table in Markdown.

    Raises:
        FolderError: Another run is using ``work_dir``.
        ImportError: A row needs pydensecrf, which is not installed.
        RuntimeError: A stock tool failed, or an image could not be labelled.
        UsageError: There is no such row; the data lacks what a row needs; or
            a run in ``work_dir`` was made with another config.
    """
    rows = choose_rows(only)
    with only_run(work_dir):
        benchmark = Benchmark(config_root, data_root, work_dir)
        work_dir = benchmark.work_dir
        tables = [work_dir / 'table']
        runs = {}
        if docs is not None:
            tables.append(Path(docs).with_suffix(''))
            record = Path(f'{tables[-1]}.json')
            recorded = recorded_runs(record)
            runs = current_runs(recorded, record, benchmark.stamp)
        finished = finished_runs(work_dir)
        runs |= current_runs(finished, work_dir, benchmark.stamp)
        todo = _missing_runs(rows, num_seeds, runs)
        benchmark.check(todo)
        if todo:
            fetch_backbone(WEIGHTS)
        for number, (key, row) in enumerate(todo.items(), 1):
            family, name, seed = key
            print(f'[{number}/{len(todo)}] {family}/{name}, seed {seed}')
            result = benchmark.run(key, row)
            if key not in runs:
                runs[key] = write_run(
                    benchmark.folder(key),
                    key,
                    row,
                    benchmark.stamp(family, row),
                    result,
                    benchmark.names,
                )
                write_tables(tables, in_order(runs))
        return write_tables(tables, in_order(runs))


class Benchmark:
    """Runs single rows and knows the config that each one resolves to.

    Args:
        config_root: As for :func:`run_benchmark`, like the others.
        data_root: The photographs.
        work_dir: Where everything goes.
    """

    def __init__(
        self,
        config_root: str | Path,
        data_root: str | Path,
        work_dir: str | Path,
    ) -> None:
        self.config_root = Path(config_root).resolve()
        self.work_dir = Path(work_dir).resolve()
        data_root = Path(data_root).resolve()
        self.data = BenchmarkData(
            data_root, self.work_dir / 'labels', self._make_rounds
        )
        # What commands and configs call this machine's folders.
        self.names = {
            str(data_root): f'DATA/{data_root.name}',
            str(data_root.parent / COCO_MINI): f'DATA/{COCO_MINI}',
            str(self.work_dir): 'WORK_DIR',
            str(self.config_root): 'configs',
            str(LAUNCHER.parent): 'tools/benchmark',
        }
        self._stamps: dict[tuple[str, Row], str] = {}

    def folder(self, key: Key) -> Path:
        """The folder of a run."""
        family, name, seed = key
        return self.work_dir / family / name / f'seed{seed}'

    def stamp(self, family: str, row: Row) -> str:
        """Hash of the config that a row of a family resolves to.

        Folders count by their names, so that all machines have the same hash.
        What the row starts from counts too; the seed does not.

        Raises:
            UsageError: The data lacks what the row needs.
        """
        if (family, row) not in self._stamps:
            config = Config.fromfile(self._config(family, row))
            config.merge_from_dict(self._options(row))
            text = json.dumps(config.to_dict(), sort_keys=True, default=str)
            text = with_names(text, self.names)
            if row.needs is not None:
                text += self.stamp(family, _row(family, row.needs))
            self._stamps[family, row] = hash_of(text.encode())
        return self._stamps[family, row]

    def check(self, todo: Mapping[Key, Row]) -> None:
        """Find out before the first run what would stop one of them.

        Raises:
            ImportError: A row needs pydensecrf, which is not installed.
            UsageError: The data lacks what a row needs, or a run was made
                with another config.
        """
        problems = []
        for key, row in todo.items():
            try:
                stamp = self.stamp(key[0], row)
            except UsageError as error:
                problems.append(f'{key[0]}/{row.name}: {error}')
                continue
            path = self.folder(key) / 'stamp.json'
            if path.exists():
                found = json.loads(path.read_text())
                if found.get('config') != stamp:
                    problems.append(
                        f'{path.parent}: was made with another config; '
                        'delete the folder, or choose another --work-dir'
                    )
        if problems:
            # The seeds of a row have the same problems.
            raise UsageError('; '.join(dict.fromkeys(problems)))
        if any(row.tests is not None for row in todo.values()):
            DenseCRF()  # raises if it cannot be used

    def run(self, key: Key, row: Row) -> dict:
        """Run a row unless it has a result; see :func:`run_benchmark`."""
        self.data.make(row)
        run = self.folder(key)
        run.mkdir(parents=True, exist_ok=True)
        stamp = dict(config=self.stamp(key[0], row))
        write_json(run / 'stamp.json', stamp)
        options = {'randomness.seed': key[2]} | self._options(row)
        needed = None
        if row.needs is not None:
            folder = self.folder((key[0], row.needs, key[2]))
            needed = newest_checkpoint(folder)
            if needed is None:
                raise RuntimeError(
                    f'{folder}: {row.name} needs its checkpoint, but none '
                    'can be loaded; delete the folder to run it again'
                )
        if row.start is not None:
            options['model.init_cfg.checkpoint'] = needed
        return run_experiment(
            self._config(key[0], row),
            run,
            options,
            resume=True,
            checkpoint=needed if row.tests is not None else None,
            launcher=[LAUNCHER],
        )

    def _make_rounds(
        self, row: Row, labels: Path, work_dir: Path, num_rounds: int
    ) -> None:
        """Label in rounds with Box2Seg of one class, seed 0."""
        options = self._train_options(row)
        # Each round has labels of its own.
        del options['train_dataloader.dataset.pseudo_label_dir']
        TrainingRounds(
            self._config('miniature_1class', Row('box2seg', '')),
            labels,
            work_dir,
            num_rounds=num_rounds,
            cfg_options=[
                *(f'{key}={value}' for key, value in options.items()),
                'randomness.seed=0',
            ],
            train_command=[sys.executable, str(LAUNCHER)],
        ).run()

    def _train_options(self, row: Row) -> dict[str, object]:
        """Options of a row's networks, those of its rounds included."""
        options = {
            f'train_dataloader.dataset.{key}': value
            for key, value in self.data.train_options(row).items()
        }
        # All runs see the same two views of an image.
        options['model.backbone.type'] = 'CachedEfficientNetLite'
        options['model.backbone.cache_dir'] = self.work_dir / 'features'
        return options | SUSPECTS if row.suspects else options

    def _config(self, family: str, row: Row) -> Path:
        folder = self.config_root / FAMILIES[family].configs
        (path,) = folder.glob(f'{row.config}_*.py')
        return path

    def _options(self, row: Row) -> dict[str, object]:
        options = {
            f'{loader}_dataloader.dataset.{key}': value
            for loader in ('val', 'test')
            for key, value in self.data.test_options(row).items()
        }
        for loader in ('val', 'test'):
            options[f'{loader}_evaluator.type'] = 'TagIoUMetric'
        return options | self._train_options(row) | dict(row.options)


def _row(family: str, name: str) -> Row:
    (row,) = (row for row in FAMILIES[family].rows if row.name == name)
    return row


def _missing_runs(
    rows: Sequence[tuple[str, Row]], num_seeds: int, runs: Container[Key]
) -> dict[Key, Row]:
    """The runs to do, seed by seed, so that an early stop leaves all rows.

    A row that others start from is needed with its checkpoint, even if its
    figures are known; it takes no time where the checkpoint exists.
    """
    todo = {}
    for seed in range(num_seeds):
        absent = {
            (family, row.name): row
            for family, row in rows
            if (family, row.name, seed) not in runs
        }
        needed = {(family, row.needs) for (family, _), row in absent.items()}
        for family, row in rows:
            if (family, row.name) in absent.keys() | needed:
                todo[family, row.name, seed] = row
    return todo
