"""Rows times seeds through the stock tools, and the table of them."""

import json
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

from ..command_line import UsageError
from ..files import only_run, write_json
from ..models.backbone_weights import download_efficientnet_lite
from ..models.post_processing import DenseCRF
from .benchmark_data import COCO_MINI, BenchmarkData
from .benchmark_rows import Row, choose_rows
from .benchmark_runs import (
    Key,
    current_runs,
    finished_runs,
    in_order,
    recorded_runs,
    row_config,
    row_digest,
    write_run,
)
from .benchmark_table import write_tables
from .stock_tools import newest_checkpoint, run_experiment


def run_benchmark(
    config_root: str | Path,
    data_root: str | Path,
    work_dir: str | Path,
    only: Sequence[str] | None = None,
    num_seeds: int = 3,
    docs: str | Path | None = None,
) -> str:
    """Run the rows that are missing, and write the table after each run.

    Each run has a folder ``<family>/<row>/seed<n>`` in ``work_dir``; a run
    that is there is not run again, one that was cut goes on from its newest
    checkpoint. The tables hold every run in ``work_dir``, also those of
    earlier calls, and the runs that ``docs`` holds from elsewhere.

    Args:
        config_root: The folder ``configs`` of the project.
        data_root: ``voc-mini``, or a folder like it: VOCdevkit's layout,
            VOC's classes, the splits ``train`` and ``val``.
        work_dir: Where everything goes: runs, pseudo labels, weights and
            ``table.md``, ``table.csv``, ``table.json``.
        only: The rows to run, as for :func:`choose_rows`.
        num_seeds: Runs of each row, with the seeds 0, 1, ...
        docs: A Markdown file to write the table to as well, with a CSV and a
            JSON file beside it. The runs in that JSON file, perhaps another
            machine's, are not run again, unless their config, the data or
            the row have changed since.

    Returns:
        The table in Markdown.

    Raises:
        FolderError: Another run is at work in ``work_dir``.
        ImportError: A row needs pydensecrf, which is not installed.
        RuntimeError: A stock tool failed, or an image could not be labelled.
        UsageError: There is no such row; the data lacks what a row needs; or
            a run in ``work_dir`` was made with another config.
    """
    config_root, data_root, work_dir = (
        Path(path).resolve() for path in (config_root, data_root, work_dir)
    )
    rows = choose_rows(only)
    with only_run(work_dir):
        return _run_rows(
            rows, config_root, data_root, work_dir, num_seeds, docs
        )


def _run_rows(
    rows: Sequence[tuple[str, Row]],
    config_root: Path,
    data_root: Path,
    work_dir: Path,
    num_seeds: int,
    docs: str | Path | None,
) -> str:
    folders = {
        str(data_root): f'DATA/{data_root.name}',
        str(data_root.parent / COCO_MINI): f'DATA/{COCO_MINI}',
        str(work_dir): 'WORK_DIR',
        str(config_root): 'configs',
    }
    data = BenchmarkData(data_root, work_dir / 'labels')
    tables = [work_dir / 'table']
    runs = {}
    if docs is not None:
        tables.append(Path(docs).with_suffix(''))
        record = Path(f'{tables[-1]}.json')
        runs = current_runs(recorded_runs(record), record, config_root, data)
    finished = finished_runs(work_dir)
    runs |= current_runs(finished, work_dir, config_root, data)
    todo = _missing_runs(rows, num_seeds, runs)
    digests = _checked_digests(todo, config_root, work_dir, data)
    weights = work_dir / 'efficientnet-lite2.pth'
    if todo and not weights.exists():
        download_efficientnet_lite(weights)
    for number, (key, row) in enumerate(todo.items(), 1):
        family, name, seed = key
        print(f'[{number}/{len(todo)}] {family}/{name}, seed {seed}')
        run = work_dir / family / name / f'seed{seed}'
        config = row_config(config_root, family, row)
        digest = digests[family, name]
        options = _options(data, weights, row, seed)
        result = _run_row(config, run, row, digest, options)
        if key not in runs:
            runs[key] = write_run(run, key, row, digest, result, folders)
            write_tables(tables, in_order(runs))
    return write_tables(tables, in_order(runs))


def _missing_runs(
    rows: Sequence[tuple[str, Row]], num_seeds: int, runs: Container[Key]
) -> dict[Key, Row]:
    """What has to be run, seed by seed: cut short, it still has all rows.

    What others start from is needed with its checkpoint, even if its figures
    are known; it takes no time where the checkpoint is there.
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


def _checked_digests(
    todo: Mapping[Key, Row],
    config_root: Path,
    work_dir: Path,
    data: BenchmarkData,
) -> dict[tuple[str, str], str]:
    """The digests of the rows, if nothing will stop one of them."""
    digests: dict[tuple[str, str], str] = {}
    problems = []
    for family, row in dict.fromkeys(
        (key[0], row) for key, row in todo.items()
    ):
        try:
            digest = row_digest(config_root, family, row, data)
        except UsageError as error:
            problems.append(f'{family}/{row.name}: {error}')
            continue
        digests[family, row.name] = digest
        for run in sorted((work_dir / family / row.name).glob('seed*')):
            stamp = run / 'stamp.json'
            if (
                (family, row.name, int(run.name.removeprefix('seed'))) in todo
                and stamp.exists()
                and json.loads(stamp.read_text())['digest'] != digest
            ):
                problems.append(
                    f'{run}: was made with another config or other data; '
                    'delete the folder, or give another --work-dir'
                )
    if problems:
        raise UsageError('; '.join(problems))
    if any(row.tests is not None for row in todo.values()):
        DenseCRF()  # raises where it can not be used
    return digests


def _options(
    data: BenchmarkData, weights: Path, row: Row, seed: int
) -> dict[str, object]:
    options = {
        f'{loader}_dataloader.dataset.{key}': value
        for loader in ('val', 'test')
        for key, value in data.test_options(row).items()
    }
    options['model.backbone.init_cfg.checkpoint'] = weights
    # The frozen backbone sees the same two views of an image in all runs.
    options['model.backbone.cache_dir'] = weights.with_name('features')
    options['randomness.seed'] = seed
    for key, value in data.dataset_options(row).items():
        options[f'train_dataloader.dataset.{key}'] = value
    return options | row.options


def _run_row(
    config: Path, run: Path, row: Row, digest: str, options: dict[str, object]
) -> dict:
    """Run a row, unless it has its result; see :func:`run_benchmark`."""
    run.mkdir(parents=True, exist_ok=True)
    write_json(run / 'stamp.json', dict(digest=digest))
    needed = None
    if row.needs is not None:
        folder = run.parents[1] / row.needs / run.name
        needed = newest_checkpoint(folder)
        if needed is None:
            raise RuntimeError(
                f'{folder}: has no whole checkpoint, which {row.name} needs; '
                'delete the folder to make it again'
            )
    if row.start is not None:
        options = options | dict(load_from=needed)
    return run_experiment(
        config,
        run,
        options,
        resume=True,
        checkpoint=needed if row.tests is not None else None,
    )
