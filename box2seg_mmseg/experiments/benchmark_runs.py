"""What the benchmark keeps of a run, here or from another machine."""

import hashlib
import inspect
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

import torch
from mmengine.config import Config

from ..command_line import UsageError
from ..files import write_json
from ..models.decode_heads import Box2SegHead
from ..models.losses import AffinityLoss, AttentionWeightedLoss
from .benchmark_data import BenchmarkData
from .benchmark_rows import FAMILIES, Row, choose_rows

# What a config says of folders.
PLACES = ('data_root', 'noise', 'box_dir', 'pseudo_label_dir')
# Family, row and seed.
Key = tuple[str, str, int]
# What Box2Seg's head logs, and what the table calls it.
STATISTICS = dict(
    attention_in_boxes='attention in boxes',
    gamma_eta='gamma * eta',
    attention_on_grabcut="on GrabCut's foreground",
    attention_off_grabcut='off it',
    loss_affinity='w_A * L_A',
)
TOOLBOX = ('mmsegmentation', 'mmcv', 'mmengine')
PACKAGES = (
    'torch',
    'numpy',
    'opencv-python',
    *(f'onedl-{name}' for name in TOOLBOX),
    *TOOLBOX,
)


def row_config(config_root: Path, family: str, row: Row) -> Path:
    """The config of a row."""
    folder = config_root / FAMILIES[family].configs
    (path,) = folder.glob(f'{row.config or row.name}_*.py')
    return path


def row_digest(
    config_root: Path, family: str, row: Row, data: BenchmarkData
) -> str:
    """A digest of what decides a row's figures, wherever its files are.

    Args:
        config_root: The folder ``configs``.
        family: The row's family.
        row: The row.
        data: What it trains and is tested on.

    Returns:
        A hexadecimal number.
    """
    config = Config.fromfile(row_config(config_root, family, row))
    text = json.dumps(
        _without_places(config.to_dict()), sort_keys=True, default=repr
    )
    text += repr((replace(row, title=''), data.identity(row)))
    # Box2Seg's settings that no config states.
    if Box2SegHead.__name__ in text:
        for part in (Box2SegHead, AttentionWeightedLoss, AffinityLoss):
            parameters = inspect.signature(part).parameters.values()
            text += repr([(one.name, one.default) for one in parameters])
    if row.needs is not None:
        (needed,) = (
            one for one in FAMILIES[family].rows if one.name == row.needs
        )
        text += row_digest(config_root, family, needed, data)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_places(content: object) -> object:
    """A config without the folders in it, which the benchmark sets anew."""
    if isinstance(content, dict):
        return {
            key: _without_places(value)
            for key, value in content.items()
            if key not in PLACES
        }
    if isinstance(content, list | tuple):
        return [_without_places(value) for value in content]
    return content


def write_run(
    run: Path,
    key: Key,
    row: Row,
    digest: str,
    result: dict,
    folders: Mapping[str, str],
) -> dict:
    """Write ``run.json``: what the tables are made of.

    Args:
        run: The run's folder.
        key: Family, row and seed.
        row: The row.
        digest: Of :func:`row_digest`.
        result: Of :func:`run_experiment`.
        folders: This machine's folders, and what the commands call them.

    Returns:
        What was written.
    """
    family, name, seed = key
    for tool in result['runs'].values():
        for folder, called in folders.items():
            tool['command'] = tool['command'].replace(folder, called)
    content = dict(
        family=family,
        row=name,
        title=row.title,
        seed=seed,
        digest=digest,
        parameters=_num_parameters(run),
        statistics=_statistics(run),
        machine=_machine(),
        versions=_versions(),
        **result,
    )
    write_json(run / 'run.json', content)
    return content


def finished_runs(work_dir: Path) -> list[dict]:
    """The runs in a work dir that have ended."""
    return [
        json.loads(path.read_text())
        for family, row in choose_rows(None)
        for path in work_dir.glob(f'{family}/{row.name}/seed*/run.json')
    ]


def recorded_runs(path: Path) -> list[dict]:
    """The runs in a table's JSON file; no file is no runs."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text())['rows']
    return list(chain.from_iterable(row['runs'] for row in rows))


def current_runs(
    runs: Iterable[dict], source: Path, config_root: Path, data: BenchmarkData
) -> dict[Key, dict]:
    """Those of the runs that are still what they would be.

    Args:
        runs: What :func:`write_run` wrote.
        source: Where they are from, for the message.
        config_root: The folder ``configs``.
        data: What the rows train and are tested on.

    Returns:
        The runs, without those whose config, row or data have changed
        since; these are named on the terminal.
    """
    rows = {(family, row.name): row for family, row in choose_rows(None)}
    digests: dict[tuple[str, str], str] = {}
    current = {}
    for run in runs:
        family, name, seed = run['family'], run['row'], run['seed']
        row = rows.get((family, name))
        if row is not None and (family, name) not in digests:
            try:
                digest = row_digest(config_root, family, row, data)
            except UsageError as error:
                print(f'{source}: {family}/{name} can not be judged: {error}')
                digest = ''
            digests[family, name] = digest
        if digests.get((family, name)) == run['digest']:
            current[family, name, seed] = run
        else:
            print(
                f'{source}: {family}/{name}, seed {seed}, was made with '
                'another config or other data; it is left out'
            )
    return current


def in_order(runs: dict[Key, dict]) -> list[dict]:
    """The runs in the order of the table: by family, row and seed."""
    order = [(family, row.name) for family, row in choose_rows(None)]
    return [
        runs[key]
        for key in sorted(runs, key=lambda k: (order.index(k[:2]), k[2]))
    ]


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


def _machine() -> str:
    """The processor's name, where Linux tells it, and the cores."""
    info = Path('/proc/cpuinfo')
    text = info.read_text() if info.exists() else ''
    match = re.search(r'^model name\s*: (.+)$', text, re.MULTILINE)
    name = match[1] if match else platform.machine()
    return f'{name}, {os.cpu_count()} cores'


def _versions() -> dict[str, str]:
    found = dict(python=platform.python_version())
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the other stack's
    return found
