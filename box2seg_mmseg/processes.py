"""Worker processes of this machine."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import (
    get_all_start_methods,
    get_context,
    parent_process,
)
from threading import Thread

import cv2


def worker_pool(workers: int, module: str) -> ProcessPoolExecutor:
    """Start processes with one thread each, which end when this one ends.

    Args:
        workers: Number of processes.
        module: Module that they import first, such as that of the functions
            that they will call.
    """
    # Not 'fork', because this process may run threads of torch or OpenCV. A
    # fork server imports the module once for all workers.
    if 'forkserver' in get_all_start_methods():
        context = get_context('forkserver')
        context.set_forkserver_preload([module])
    else:
        context = get_context('spawn')
    return ProcessPoolExecutor(
        workers, mp_context=context, initializer=_init_worker
    )


@contextmanager
def telling_of_killed_workers() -> Iterator[None]:
    """Raise a RuntimeError that says what to do if a worker is killed."""
    try:
        yield
    except BrokenProcessPool:
        raise RuntimeError(
            'a worker process was killed, probably because memory ran out; '
            'rerun with fewer workers'
        ) from None


def _init_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us
    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no worker behind when the parent is killed."""
    parent_process().join()
    os._exit(1)
