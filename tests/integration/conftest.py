import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ITERS = 4  # to which the trainings of a page are cut


@pytest.fixture
def follow(tmp_path) -> Callable[..., None]:
    """Runs the commands of a page in an empty folder.

    Of ``path/to/your/folder`` in a command the replacement is given.
    """

    def run(
        commands: Sequence[str], folder: str | Path = '.', **environment: str
    ) -> None:
        environment = dict(
            os.environ, OMP_WAIT_POLICY='PASSIVE', **environment
        )
        for command in commands:
            command = command.replace('path/to/your/folder', str(folder))
            command = re.sub(r'iter_\d+\.pth', f'iter_{ITERS}.pth', command)
            tool = f'{sys.executable} -m box2seg_mmseg '
            command = re.sub(r'^box2seg ', tool, command)
            if ' train ' in command or ' train_rounds ' in command:
                if '--cfg-options' not in command:
                    command += ' --cfg-options'
                command += (
                    f' train_cfg.max_iters={ITERS}'
                    f' default_hooks.checkpoint.interval={ITERS}'
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

    return run
