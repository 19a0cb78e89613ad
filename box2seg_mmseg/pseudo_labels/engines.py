"""Parallel work in processes of this machine or on a Ray cluster.

An engine takes a function, an iterable of its arguments, one tuple per call,
and a number of workers. It yields the results in the order in which they
finish, and consumes the arguments only as fast as the work proceeds.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from functools import partial
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

    The function and its arguments must be picklable. ``workers=None`` means
    one process per core; 1 calls the function in this process.

    Raises:
        RuntimeError: A worker was killed.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from starmap(function, jobs)
        return
    executor = worker_pool(workers, function.__module__)
    submit = partial(executor.submit, function)
    wait_for_one = partial(wait, return_when=FIRST_COMPLETED)
    try:
        with telling_of_killed_workers():
            for future in _in_flight(
                submit, wait_for_one, jobs, _JOBS_PER_WORKER * workers
            ):
                yield future.result()
    finally:
        executor.shutdown(cancel_futures=True)


def run_ray(
    function: Callable[..., T], jobs: Iterable[tuple], workers: int | None
) -> Iterator[T]:
    """Call a function on a Ray cluster, whose nodes share the file system.

    Joins the cluster that ``RAY_ADDRESS`` names, or starts one on this
    machine. If a node is lost, another one repeats its work. Each worker takes
    one core; ``workers=None`` means all cores of the cluster. The function and
    the classes of its arguments must be importable on all nodes; Ray adds the
    current folder to their search path.

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
    submit = partial(remote.remote, function)
    for reference in _in_flight(submit, ray.wait, jobs, workers):
        try:
            yield ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None


def _in_flight(
    submit: Callable, wait_for_one: Callable, jobs: Iterable[tuple], limit: int
) -> Iterator[Any]:
    """Submit jobs, at most ``limit`` ahead, and yield those that are done."""
    jobs, pending = iter(jobs), []
    while True:
        room = limit - len(pending)
        pending = [*pending, *(submit(*job) for job in islice(jobs, room))]
        if not pending:
            return
        done, pending = wait_for_one(pending)
        yield from done


def _call_alone(function: Callable[..., T], *args: Any) -> T:
    cv2.setNumThreads(1)
    return function(*args)


ENGINES: dict[str, Callable[..., Iterator]] = {
    'local': run_local,
    'ray': run_ray,
}
