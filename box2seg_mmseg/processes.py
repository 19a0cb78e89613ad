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
    """Start processes that end with this one, on one thread each.

    Args:
        workers: Processes.
        module: What they import before all else, such as the module of the
            functions that they will call.

    Returns:
        The pool; its user shuts it down.
    """
    # Not 'fork': this process may hold threads of torch or OpenCV. A fork
    # server imports once for all workers.
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
    """Say what a broken pool means, around any use of one.

    Raises:
        RuntimeError: A worker was killed.
    """
    try:
        yield
    except BrokenProcessPool:
        raise RuntimeError(
            'a worker process was killed, perhaps for want of memory; start '
            'again with fewer workers'
        ) from None


def _init_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us
    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no worker behind when the parent is killed."""
    parent_process().join()
    os._exit(1)
