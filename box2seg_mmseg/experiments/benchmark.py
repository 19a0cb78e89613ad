"""Rows times seeds through the stock tools, and the table of them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from mmengine.config import Config

from ..files import write_json
from ..models.backbone_weights import download_efficientnet_lite
from .benchmark_data import BenchmarkData
from .benchmark_rows import FAMILIES, Row, choose_rows
from .benchmark_table import STATISTICS, write_tables
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
    earlier calls.

    Args:
        config_root: The folder ``configs`` of the project.
        data_root: ``voc-mini``, or a folder like it: VOCdevkit's layout,
            VOC's classes, the splits ``train`` and ``val``.
        work_dir: Where everything goes: runs, pseudo labels, weights and
            ``table.md``, ``table.csv``, ``table.json``.
        only: The rows to run, as for :func:`choose_rows`.
        num_seeds: Runs of each row, with the seeds 0, 1, ...
        docs: A Markdown file to write the table to as well.

    Returns:
        The table in Markdown.

    Raises:
        ValueError: A run in ``work_dir`` was made with another config.
        RuntimeError: A stock tool failed, or an image could not be labelled.
        UsageError: There is no such row, or the data has no split.
    """
    config_root, work_dir = Path(config_root), Path(work_dir).resolve()
    data_root = Path(data_root).resolve()
    rows = choose_rows(only)
    data = BenchmarkData(data_root, work_dir / 'labels')
    work_dir.mkdir(parents=True, exist_ok=True)
    weights = work_dir / 'efficientnet-lite2.pth'
    if not weights.exists():
        download_efficientnet_lite(weights)
    # Seed by seed, so that a run cut short still has all rows.
    for seed in range(num_seeds):
        for family, row in rows:
            run = work_dir / family / row.name / f'seed{seed}'
            is_new = not (run / 'result.json').exists()
            options = _options(data, weights, row, seed)
            configs = config_root / FAMILIES[family].configs
            _run_row(configs, run, row, options)
            if is_new:
                write_tables(work_dir, _results(work_dir), docs)
    return write_tables(work_dir, _results(work_dir), docs)


def _options(
    data: BenchmarkData, weights: Path, row: Row, seed: int
) -> dict[str, object]:
    options = {
        f'{loader}_dataloader.dataset.data_root': data.data_root
        for loader in ('val', 'test')
    }
    options['model.backbone.init_cfg.checkpoint'] = weights
    # The frozen backbone sees the same two views of an image in all runs.
    options['model.backbone.cache_dir'] = weights.with_name('features')
    options['randomness.seed'] = seed
    for key, value in data.dataset_options(row).items():
        options[f'train_dataloader.dataset.{key}'] = value
    return options | row.options


def _run_row(
    config_dir: Path, run: Path, row: Row, options: dict[str, object]
) -> None:
    """Run a row, unless it has its result; see :func:`run_benchmark`."""
    (config,) = config_dir.glob(f'{row.config or row.name}_*.py')
    # Read as the tools will read it.
    cfg = Config.fromfile(config)
    cfg.merge_from_dict({k: str(v) for k, v in options.items()})
    stamp = dict(config=hashlib.sha256(cfg.pretty_text.encode()).hexdigest())
    stamp_path = run / 'stamp.json'
    if not stamp_path.exists():
        run.mkdir(parents=True, exist_ok=True)
        write_json(stamp_path, stamp)
    elif json.loads(stamp_path.read_text()) != stamp:
        raise ValueError(
            f'{run}: was made with another config or data; delete the '
            'folder, or give another --work-dir'
        )
    needed = None
    if row.needs is not None:
        needed = newest_checkpoint(run.parents[1] / row.needs / run.name)
    if row.start is not None:
        options = options | dict(load_from=needed)
    run_experiment(
        config,
        run,
        options,
        resume=True,
        checkpoint=needed if row.tests is not None else None,
    )


def _results(work_dir: Path) -> Iterator[dict]:
    """Every run that has ended."""
    for family, row in choose_rows(None):
        for path in sorted(work_dir.glob(f'{family}/{row.name}/seed*')):
            if not (path / 'result.json').exists():
                continue
            yield dict(
                family=family,
                row=row.name,
                title=row.title,
                seed=int(path.name.removeprefix('seed')),
                parameters=_num_parameters(path),
                statistics=_statistics(path),
                **json.loads((path / 'result.json').read_text()),
            )


def _num_parameters(run: Path) -> int | None:
    """Parameters of the trained model; None for a row that trains none."""
    checkpoints = sorted(run.glob('iter_*.pth'))
    if not checkpoints:
        return None
    checkpoint = torch.load(checkpoints[-1], 'cpu', weights_only=False)
    buffers = ('running_mean', 'running_var', 'num_batches_tracked')
    return sum(
        value.numel()
        for name, value in checkpoint['state_dict'].items()
        if not name.endswith(buffers)
    )


def _statistics(run: Path) -> dict[str, float]:
    """What Box2Seg's head logged last in training; empty for other heads."""
    logs = sorted(run.glob('*/vis_data/scalars.json'))
    if not logs:
        return {}
    last = json.loads(logs[-1].read_text().splitlines()[-1])
    return {
        name: last[f'decode.{name}']
        for name in STATISTICS
        if f'decode.{name}' in last
    }
