import os
import signal

import pytest

from box2seg_mmseg.pseudo_labels.engines import run_local


def _die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_killed_worker_is_told():
    jobs = ((i,) for i in range(100))
    with pytest.raises(RuntimeError, match=r'was killed.*fewer workers'):
        list(run_local(_die, jobs, 2))
