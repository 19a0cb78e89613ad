"""What the benchmark keeps of a run, here or from another machine."""

import inspect
import json
import os
import platform
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from benchmark_data import BenchmarkData
from benchmark_rows import FAMILIES, Row, choose_rows
from mmengine.config import Config
from stock_tools import newest_checkpoint

from box2seg_mmseg.datasets import LoadBoxes
from box2seg_mmseg.engine import has_bfloat16_instructions
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import hash_of, write_json
from box2seg_mmseg.models.checkpoints import load_checkpoint_file
from box2seg_mmseg.models.decode_heads import Box2SegHead
from box2seg_mmseg.models.losses import (
    AffinityLoss,
    AttentionWeightedLoss,
    GrabCutLoss,
)
from box2seg_mmseg.models.post_processing import DenseCRF

# What a config says of folders.
PLACES = ('data_root', 'noise', 'box_dir', 'pseudo_label_dir')
# Whose defaults count for a row, by what names them in its config.
DEFAULTS = {
    # No other head reads what LoadBoxes adds.
    'Box2SegHead': (
        Box2SegHead,
        GrabCutLoss,
        AttentionWeightedLoss,
        AffinityLoss,
        LoadBoxes,
    ),
    'CRFEncoderDecoder': (DenseCRF,),
}
# Family, row and seed.
Key = tuple[str, str, int]
# What Box2Seg's head logs, and what the table calls it. A line of the log is
# about one iteration, or for losses ten: the mean over the last LOG_LINES is
# kept.
LOG_LINES = 5
STATISTICS = dict(
    attention_in_boxes='attention in boxes',
    gamma_eta='gamma * eta',
    attention_on_grabcut="on GrabCut's foreground",
    attention_off_grabcut='off it',
    loss_fr='w_fr * L_fr',
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
    config_root: Path, data: BenchmarkData, family: str, row: Row
) -> str:
    """A digest of what decides a row's figures, wherever its files are.

    These are the config with the defaults behind it, the data, and what the
    row starts from. A change of the code is not seen.

    Args:
        config_root: The folder ``configs``.
        data: What the rows train and are tested on.
        family: The row's family.
        row: The row.

    Returns:
        A hexadecimal number.

    Raises:
        UsageError: The data lacks what the row needs.
    """
    config = Config.fromfile(row_config(config_root, family, row))
    text = json.dumps(
        _without_places(config.to_dict()), sort_keys=True, default=repr
    )
    text += repr((replace(row, title=''), data.identity(row)))
    for name, parts in DEFAULTS.items():
        if name in text:
            for part in parts:
                parameters = inspect.signature(part).parameters.values()
                text += repr([(one.name, one.default) for one in parameters])
    if row.needs is not None:
        (needed,) = (
            one for one in FAMILIES[family].rows if one.name == row.needs
        )
        text += row_digest(config_root, data, family, needed)
    return hash_of(text.encode())


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
        # Of two folders in each other the inner comes first.
        for folder in sorted(folders, key=len, reverse=True):
            tool['command'] = re.sub(
                rf"(?<=[\s='])({re.escape(folder)})(?=[/\s']|$)",
                folders[folder],
                tool['command'],
            )
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
    runs: Iterable[dict], source: Path, digest_of: Callable[[str, Row], str]
) -> dict[Key, dict]:
    """Those of the runs that are still what they would be.

    Args:
        runs: What :func:`write_run` wrote.
        source: Where they are from, for the message.
        digest_of: The digest of a row of a family, as :func:`row_digest`.

    Returns:
        The runs, with the rows' titles of now. Those whose config, row or
        data have changed since are left out, those whose row needs data that
        is not here are kept; both are named on the terminal.
    """
    rows = {(family, row.name): row for family, row in choose_rows(None)}
    current = {}
    for run in runs:
        family, name, seed = run['family'], run['row'], run['seed']
        row = rows.get((family, name))
        called = f'{source}: {family}/{name}, seed {seed},'
        try:
            is_current = row is not None and (
                run['digest'] == digest_of(family, row)
            )
        except UsageError as error:
            print(f'{called} is kept unseen: {error}')
            is_current = True
        if is_current:
            current[family, name, seed] = run | dict(title=row.title)
        else:
            print(
                f'{called} was made with another config or other data; it is '
                'left out'
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
    path = newest_checkpoint(run)
    if path is None:
        return None
    buffers = ('running_mean', 'running_var', 'num_batches_tracked')
    return sum(
        value.numel()
        for name, value in load_checkpoint_file(path).state_dict.items()
        if not name.endswith(buffers)
    )


def _statistics(run: Path) -> dict[str, float]:
    """What Box2Seg's head logged at the end of training, on average.

    Empty for other heads.
    """
    lines = [
        line
        for path in sorted(run.glob('*/vis_data/scalars.json'))
        for line in path.read_text().splitlines()
    ]
    logged = [json.loads(line) for line in lines[-LOG_LINES:]]
    return {
        name: statistics.mean(line[f'decode.{name}'] for line in logged)
        for name in STATISTICS
        if all(f'decode.{name}' in line for line in logged) and logged
    }


def _machine() -> str:
    """The processor, its cores and what BFloat16OptimWrapper trains in there.

    Only Linux tells the processor's name.
    """
    info = Path('/proc/cpuinfo')
    text = info.read_text() if info.exists() else ''
    match = re.search(r'^model name\s*: (.+)$', text, re.MULTILINE)
    name = match[1] if match else platform.machine()
    dtype = 'bfloat16' if has_bfloat16_instructions() else 'float32'
    return f'{name}, {os.cpu_count()} cores, {dtype}'


def _versions() -> dict[str, str]:
    found = dict(python=platform.python_version())
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the other stack's
    return found
