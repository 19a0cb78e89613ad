"""Parallel work in processes of this machine or on a Ray cluster.

An engine takes a function, an iterable of its arguments and a number of
workers, and yields the results in the order in which they finish. It consumes
the arguments only as fast as the work proceeds.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import islice, starmap
from typing import Any, TypeVar

import cv2

from ..processes import telling_of_killed_workers, worker_pool

T = TypeVar('T')
_JOBS_PER_WORKER = 4  # submitted ahead, so that no worker has to wait


def run_local(
    function: Callable[..., T], jobs: Iterable[tuple], workers: int | None
) -> Iterator[T]:
    """Call a function in processes of this machine.

    Args:
        function: Must be picklable, like its arguments.
        jobs: Its arguments, one tuple per call.
        workers: Number of processes; None means one per core, and 1 calls
            the function in this process.

    Yields:
        The results, in any order.

    Raises:
        RuntimeError: A worker was killed.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from starmap(function, jobs)
        return
    executor = worker_pool(workers, function.__module__)
    jobs = iter(jobs)
    try:
        with telling_of_killed_workers():
            pending = set()
            while True:
                room = _JOBS_PER_WORKER * workers - len(pending)
                for job in islice(jobs, room):
                    pending.add(executor.submit(function, *job))
                if not pending:
                    return
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
    finally:
        executor.shutdown(cancel_futures=True)


def run_ray(
    function: Callable[..., T], jobs: Iterable[tuple], workers: int | None
) -> Iterator[T]:
    """Call a function on a Ray cluster, whose nodes share the file system.

    Joins the cluster that ``RAY_ADDRESS`` names, or starts one on this
    machine. If a node is lost, another one repeats its work.

    Args:
        function: Must be importable on all nodes, like the classes of its
            arguments. Ray adds the current folder to the nodes' search path.
        jobs: Its arguments, one tuple per call.
        workers: Calls at the same time, each on one core; None means one per
            core of the cluster.

    Yields:
        The results, in any order.

    Raises:
        ImportError: Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise ImportError(
            "--engine ray needs Ray; pip install 'box2seg-mmseg[ray]'"
        ) from None
    if not ray.is_initialized():
        ray.init(include_dashboard=False)
    if workers is None:
        workers = max(1, int(ray.cluster_resources().get('CPU', 1)))
    remote = ray.remote(num_cpus=1, max_retries=-1)(_call_alone)
    jobs = iter(jobs)
    pending: list[Any] = []
    while True:
        room = workers - len(pending)
        pending += [
            remote.remote(function, *job) for job in islice(jobs, room)
        ]
        if not pending:
            return
        done, pending = ray.wait(pending)
        try:
            yield from ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None


def _call_alone(function: Callable[..., T], *args: Any) -> T:
    cv2.setNumThreads(1)
    return function(*args)


ENGINES: dict[str, Callable[..., Iterator]] = {
    'local': run_local,
    'ray': run_ray,
}
