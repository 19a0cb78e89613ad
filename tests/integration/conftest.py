import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

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
