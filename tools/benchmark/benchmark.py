"""Rows times seeds through the stock tools, and the table of them."""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from benchmark_data import COCO_MINI, BenchmarkData
from benchmark_rows import Row, choose_rows
from benchmark_runs import (
    Key,
    current_runs,
    finished_runs,
    in_order,
    recorded_runs,
    row_config,
    row_digest,
    write_run,
)
from benchmark_table import write_tables
from stock_tools import newest_checkpoint, run_experiment

from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import only_run, write_json
from box2seg_mmseg.models.backbone_weights import download_efficientnet_lite
from box2seg_mmseg.models.post_processing import DenseCRF


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
    folders = {
        str(data_root): f'DATA/{data_root.name}',
        str(data_root.parent / COCO_MINI): f'DATA/{COCO_MINI}',
        str(work_dir): 'WORK_DIR',
        str(config_root): 'configs',
    }
    rows = choose_rows(only)
    with only_run(work_dir):
        data = BenchmarkData(data_root, work_dir / 'labels')
        digest_of = cache(partial(row_digest, config_root, data))
        tables = [work_dir / 'table']
        runs = {}
        if docs is not None:
            tables.append(Path(docs).with_suffix(''))
            record = Path(f'{tables[-1]}.json')
            runs = current_runs(recorded_runs(record), record, digest_of)
        runs |= current_runs(finished_runs(work_dir), work_dir, digest_of)
        todo = _missing_runs(rows, num_seeds, runs)
        _check(todo, work_dir, digest_of)
        weights = work_dir / 'efficientnet-lite2.pth'
        if todo and not weights.exists():
            download_efficientnet_lite(weights)
        for number, (key, row) in enumerate(todo.items(), 1):
            family, name, seed = key
            print(f'[{number}/{len(todo)}] {family}/{name}, seed {seed}')
            run = _run_folder(work_dir, key)
            config = row_config(config_root, family, row)
            digest = digest_of(family, row)
            options = _options(data, weights, row, seed)
            result = _run_row(config, run, row, digest, options)
            if key not in runs:
                runs[key] = write_run(run, key, row, digest, result, folders)
                write_tables(tables, in_order(runs))
        return write_tables(tables, in_order(runs))


def _run_folder(work_dir: Path, key: Key) -> Path:
    family, name, seed = key
    return work_dir / family / name / f'seed{seed}'


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


def _check(
    todo: Mapping[Key, Row],
    work_dir: Path,
    digest_of: Callable[[str, Row], str],
) -> None:
    """Find out before the first run what will stop one of them."""
    problems = []
    for key, row in todo.items():
        family, name, _ = key
        try:
            digest = digest_of(family, row)
        except UsageError as error:
            problems.append(f'{family}/{name}: {error}')
            continue
        run = _run_folder(work_dir, key)
        stamp = run / 'stamp.json'
        if (
            stamp.exists()
            and json.loads(stamp.read_text())['digest'] != digest
        ):
            problems.append(
                f'{run}: was made with another config or other data; delete '
                'the folder, or give another --work-dir'
            )
    if problems:
        # The seeds of a row have the same to say of its data.
        raise UsageError('; '.join(dict.fromkeys(problems)))
    if any(row.tests is not None for row in todo.values()):
        DenseCRF()  # raises where it can not be used


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
        options = options | {'model.init_cfg.checkpoint': needed}
    return run_experiment(
        config,
        run,
        options,
        resume=True,
        checkpoint=needed if row.tests is not None else None,
    )
