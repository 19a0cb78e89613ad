"""One experiment: mmseg's train.py, then its test.py."""

import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from box2seg_mmseg.files import write_json
from box2seg_mmseg.models.backbone_weights import weights_path
from box2seg_mmseg.models.checkpoints import load_checkpoint_file

PROGRESS = re.compile(r'Iter\((?:train|test)\)\s+\[\s*(\d+)/(\d+)\]')
PR_SET_PDEATHSIG = 1  # from Linux's prctl.h


def run_experiment(
    config: str | Path,
    work_dir: str | Path,
    options: Mapping[str, object] | None = None,
    resume: bool = False,
    checkpoint: str | Path | None = None,
    launcher: Sequence[str | Path] = ('-m', 'box2seg_mmseg'),
) -> dict:
    """Train and test a config with the stock tools.

    Everything goes to ``work_dir``: checkpoints, ``train.log``,
    ``train.json``, ``test.log``, the predicted label maps of the test set in
    ``predictions/`` and, at the end, ``result.json``.

    Args:
        config: Config of the experiment.
        work_dir: Folder of the experiment. Without ``resume``, what an
            earlier run left there is deleted.
        options: Overrides, as mmengine's ``--cfg-options`` takes them.
        resume: Return the result if there is one, or resume from the newest
            checkpoint that loads.
        checkpoint: Test this one and train nothing.
        launcher: Arguments of Python that run the stock tools.

    Returns:
        The metrics that test.py reports, such as ``mIoU`` in percent, and
        ``runs``: for each tool, ``train`` and ``test``, its ``command``, its
        ``seconds`` and its ``peak_mib`` of memory. The seconds of a resumed
        training are None.

    Raises:
        RuntimeError: A tool failed; the message has the end of its log.
    """
    work_dir = Path(work_dir)
    result_path = work_dir / 'result.json'
    if not resume and work_dir.exists():
        shutil.rmtree(work_dir)
    if result_path.exists():
        return json.loads(result_path.read_text())
    work_dir.mkdir(parents=True, exist_ok=True)
    options = dict(options or {})
    runs = {}
    if checkpoint is None:
        runs['train'], checkpoint = _train(config, work_dir, options, launcher)

    test_dir, predictions = work_dir / 'test', work_dir / 'predictions'
    for folder in (test_dir, predictions):
        shutil.rmtree(folder, ignore_errors=True)
    arguments = [str(config), str(checkpoint)]
    arguments += ['--work-dir', str(test_dir), '--out', str(predictions)]
    runs['test'] = _run(
        'test', arguments, options, work_dir / 'test.log', launcher
    )
    (report,) = test_dir.glob('*/*.json')
    result = json.loads(report.read_text()) | dict(runs=runs)
    write_json(result_path, result)
    return result


def _train(
    config: str | Path,
    work_dir: Path,
    options: Mapping[str, object],
    launcher: Sequence[str | Path],
) -> tuple[dict, Path]:
    """Train to the end, unless ``train.json`` says that this was done.

    Returns:
        The costs, and the last checkpoint.
    """
    cost_path = work_dir / 'train.json'
    last = newest_checkpoint(work_dir)
    if last is not None and cost_path.exists():
        ended = json.loads(cost_path.read_text())
        if ended.pop('checkpoint') == last.name:
            return ended, last
    # test.py follows, so train.py need not validate.
    options = dict(options) | dict(
        val_cfg=None, val_dataloader=None, val_evaluator=None
    )
    arguments = [str(config), '--work-dir', str(work_dir)]
    if last is not None:
        arguments.append('--resume')
        options['load_from'] = last
    cost = _run('train', arguments, options, work_dir / 'train.log', launcher)
    if last is not None:
        cost['seconds'] = None
    newest = newest_checkpoint(work_dir)
    write_json(cost_path, cost | dict(checkpoint=newest.name))
    return cost, newest


def fetch_backbone(name: str) -> None:
    """Download the ImageNet weights of a backbone unless they are there.

    Args:
        name: As in ``box2seg://NAME``.

    Raises:
        RuntimeError: They cannot be downloaded.
    """
    if weights_path(name).exists():
        return
    command = [sys.executable, '-m', 'box2seg_mmseg', 'convert_backbone', name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


def newest_checkpoint(work_dir: str | Path) -> Path | None:
    """The newest checkpoint of a run that loads.

    A run killed while it saves leaves a broken file, which is skipped.

    Args:
        work_dir: Folder of the run.

    Returns:
        Path of ``iter_<n>.pth`` with the largest n that loads, or None.
    """
    paths = sorted(
        Path(work_dir).glob('iter_*.pth'),
        key=lambda path: int(path.stem.removeprefix('iter_')),
        reverse=True,
    )
    for path in paths:
        try:
            load_checkpoint_file(path)
        except ValueError as error:
            print(f'skipped: {error}')
        else:
            return path
    return None


def _run(
    tool: str,
    arguments: Sequence[str],
    options: Mapping[str, object],
    log_path: Path,
    launcher: Sequence[str | Path],
) -> dict:
    """Run a tool to its end; see ``runs`` of :func:`run_experiment`."""
    command = [sys.executable, *map(str, launcher), tool, *arguments]
    for key, value in options.items():
        if isinstance(value, Path) and set(str(value)) & set(',()[]'):
            raise ValueError(
                f'{value}: mmengine reads a path with a comma or a bracket '
                f'as a list; rename the folder ({key})'
            )
    if options:
        pairs = [f'{key}={value}' for key, value in options.items()]
        command += ['--cfg-options', *pairs]
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        preexec_fn=_end_with_parent if sys.platform == 'linux' else None,
    )
    last_lines: deque[str] = deque(maxlen=5)
    name = f'{tool} {log_path.parent.name}'
    try:
        with log_path.open('a') as log, tqdm(desc=name, unit='it') as bar:
            for line in process.stdout:
                log.write(line)
                last_lines.append(line)
                if match := PROGRESS.search(line):
                    done, bar.total = map(int, match.groups())
                    bar.update(done - bar.n)
        # Unlike Popen.wait, wait4 returns the memory of this one child.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:  # this process was interrupted
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise RuntimeError(
            f'{tool} failed with exit status {process.returncode}; its log is '
            f'{log_path}, which ends:\n{"".join(last_lines)}'
        )
    unit = 2**20 if sys.platform == 'darwin' else 2**10  # bytes or KiB
    return dict(
        command=shlex.join(['python', *command[1:]]),
        seconds=time.monotonic() - start,
        peak_mib=usage.ru_maxrss / unit,
    )


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
