import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Trainings of a page are cut to so many of their iterations.
SHORT, WHOLE = 4, 800


@pytest.fixture
def follow(tmp_path) -> Callable[..., None]:
    """Runs commands in a folder that has the project's tools and configs."""

    def run(commands: Sequence[str], **environment: str) -> None:
        for name in ('configs', 'tools'):
            if not (tmp_path / name).exists():
                (tmp_path / name).symlink_to(ROOT / name)
        environment = dict(
            os.environ,
            PATH=f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
            OMP_WAIT_POLICY='PASSIVE',
            **environment,
        )
        for command in commands:
            if ' train ' in command:
                given = (
                    ' ' if '--cfg-options' in command else ' --cfg-options '
                )
                command += (
                    f'{given}train_cfg.max_iters={SHORT}'
                    f' default_hooks.checkpoint.interval={SHORT}'
                )
            done = subprocess.run(
                command,
                shell=True,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
            )
            output = done.stdout + done.stderr
            assert done.returncode == 0, f'{command}\n{output}'
            for path in tmp_path.glob(f'work_dirs/*/iter_{SHORT}.pth'):
                path.rename(path.with_name(f'iter_{WHOLE}.pth'))

    return run


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Runs a tool in this process, which has imported what tools import."""

    def run(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        (path,) = (ROOT / 'tools').rglob(tool)
        with pytest.raises(SystemExit) as exit_:
            monkeypatch.syspath_prepend(str(path.parent))
            runpy.run_path(str(path), run_name='__main__')
        printed = capsys.readouterr()
        return SimpleNamespace(
            returncode=exit_.value.code,
            stdout=printed.out,
            stderr=printed.err,
        )

    return run


@pytest.fixture
def classes(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('disk\nring\nstar\nlollipop\nframe\n')
    return path
