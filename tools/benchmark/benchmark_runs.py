"""What the benchmark keeps of a run, made here or on another machine."""

import json
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from benchmark_families import choose_rows
from benchmark_rows import Row
from stock_tools import newest_checkpoint

from box2seg_mmseg.engine import has_bfloat16_instructions
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import write_json
from box2seg_mmseg.models.checkpoints import load_checkpoint_file

# Family, row and seed.
Key = tuple[str, str, int]
# What Box2Seg's head logs, and what the table calls it. A line of the log
# describes one iteration, or the mean of ten for losses; the mean over the
# last LOG_LINES lines is kept.
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


def with_names(text: str, folders: Mapping[str, str]) -> str:
    """Replace this machine's folders in a command or a config.

    Args:
        text: The text.
        folders: The folders, and the names that take their place.

    Returns:
        The text with names.
    """
    # Of two nested folders the inner one comes first.
    for folder in sorted(folders, key=len, reverse=True):
        text = re.sub(
            rf"""(?<=[\s='"])({re.escape(folder)})(?=[/\s'"]|$)""",
            folders[folder],
            text,
        )
    return text


def write_run(
    run: Path,
    key: Key,
    row: Row,
    config_hash: str,
    result: dict,
    folders: Mapping[str, str],
) -> dict:
    """Write ``run.json``, from which the tables are made.

    Args:
        run: The run's folder.
        key: Family, row and seed.
        row: The row.
        config_hash: Of the resolved config.
        result: Of :func:`run_experiment`.
        folders: As for :func:`with_names`.

    Returns:
        What was written.
    """
    family, name, seed = key
    for tool in result['runs'].values():
        tool['command'] = with_names(tool['command'], folders)
    content = dict(
        family=family,
        row=name,
        title=row.title,
        seed=seed,
        config=config_hash,
        commit=_commit(),
        parameters=_num_parameters(run),
        statistics=_statistics(run),
        machine=_machine(),
        versions=_versions(),
        **result,
    )
    write_json(run / 'run.json', content)
    return content


def finished_runs(work_dir: Path) -> list[dict]:
    """The runs in a work dir that have finished."""
    return [
        json.loads(path.read_text())
        for family, row in choose_rows(None)
        for path in work_dir.glob(f'{family}/{row.name}/seed*/run.json')
    ]


def recorded_runs(path: Path) -> list[dict]:
    """The runs in a table's JSON file; none if there is no file."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text())['rows']
    return list(chain.from_iterable(row['runs'] for row in rows))


def current_runs(
    runs: Iterable[dict], source: Path, stamp: Callable[[str, Row], str]
) -> dict[Key, dict]:
    """The runs whose configs have not changed since.

    Args:
        runs: What :func:`write_run` wrote.
        source: Where they come from, for the message.
        stamp: Hash of the config of a row of a family.

    Returns:
        The runs, with the rows' present titles. A run made with another
        config is left out. A run is kept if it was recorded before runs were
        stamped, or if its row needs data that is missing here. Messages say
        which runs are left out or kept unchecked.
    """
    rows = {(family, row.name): row for family, row in choose_rows(None)}
    current, unstamped = {}, 0
    for run in runs:
        family, name, seed = run['family'], run['row'], run['seed']
        row = rows.get((family, name))
        title = f'{source}: {family}/{name}, seed {seed},'
        try:
            if row is not None and 'config' not in run:
                unstamped += 1
            elif row is None or run['config'] != stamp(family, row):
                print(f'{title} was made with another config; it is left out')
                continue
        except UsageError as error:
            print(f'{title} is kept unchecked: {error}')
        current[family, name, seed] = run | dict(title=row.title)
    if unstamped:
        print(
            f'{source}: {unstamped} runs were recorded before runs were '
            'stamped with their configs; they are kept'
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


def _commit() -> str | None:
    """The checked-out commit; None outside a git checkout."""
    command = ['git', 'describe', '--always', '--dirty', '--exclude', '*']
    folder = Path(__file__).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _statistics(run: Path) -> dict[str, float]:
    """Means of what Box2Seg's head logged at the end of training.

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
    """The processor, its cores and the dtype of BFloat16OptimWrapper there.

    Only Linux gives the processor's name.
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
            continue  # belongs to the other stack
    return found
