"""Rows times seeds through the stock tools, and the table of them."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..files import write_json
from ..models.backbone_weights import download_efficientnet_lite
from .benchmark_data import BenchmarkData
from .benchmark_rows import Row, choose_rows
from .benchmark_runs import (
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
        ValueError: A run in ``work_dir`` was made with another config.
        RuntimeError: A stock tool failed, or an image could not be labelled.
        UsageError: There is no such row, or the data has no split.
    """
    config_root, data_root, work_dir = (
        Path(path).resolve() for path in (config_root, data_root, work_dir)
    )
    folders = {
        str(data_root.parent): 'DATA',
        str(work_dir): 'WORK_DIR',
        str(config_root): 'configs',
    }
    rows = choose_rows(only)
    data = BenchmarkData(data_root, work_dir / 'labels')
    work_dir.mkdir(parents=True, exist_ok=True)
    weights = work_dir / 'efficientnet-lite2.pth'
    if not weights.exists():
        download_efficientnet_lite(weights)
    tables = [work_dir / 'table']
    runs = {}
    if docs is not None:
        tables.append(Path(docs).with_suffix(''))
        record = Path(f'{tables[-1]}.json')
        runs = current_runs(recorded_runs(record), record, config_root, data)
    finished = finished_runs(work_dir)
    runs |= current_runs(finished, work_dir, config_root, data)
    # Seed by seed, so that a run cut short still has all rows.
    for seed in range(num_seeds):
        absent = {
            (family, row.name): row
            for family, row in rows
            if (family, row.name, seed) not in runs
        }
        # What others start from is needed with its checkpoint.
        needed = {(family, row.needs) for (family, _), row in absent.items()}
        for family, row in rows:
            run = work_dir / family / row.name / f'seed{seed}'
            name = (family, row.name)
            if name not in absent and name not in needed:
                continue
            config = row_config(config_root, family, row)
            digest = row_digest(config_root, family, row, data)
            options = _options(data, weights, row, seed)
            result = _run_row(config, run, row, digest, options)
            if name in absent:
                key = (*name, seed)
                runs[key] = write_run(run, key, row, digest, result, folders)
                write_tables(tables, in_order(runs))
    return write_tables(tables, in_order(runs))


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
    stamp = dict(digest=digest)
    stamp_path = run / 'stamp.json'
    if not stamp_path.exists():
        run.mkdir(parents=True, exist_ok=True)
        write_json(stamp_path, stamp)
    elif json.loads(stamp_path.read_text()) != stamp:
        raise ValueError(
            f'{run}: was made with another config or other data; delete '
            'the folder, or give another --work-dir'
        )
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
