"""Compilation of the functions in this folder."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from numba import njit
from numba.core.event import Event, Listener, install_listener

F = TypeVar('F', bound=Callable)


def compiled(function: F) -> F:
    """Numba's njit, which keeps the compiled code on disk.

    Where numba finds no folder to write to, as in a container with a
    read-only file system, a warning says so and each process compiles again.
    """
    return _compiled(function)


def compiled_without_counting(function: F) -> F:
    """As :func:`compiled`, for small functions that pass many arrays around.

    Numba counts the references to each array at each call, which takes half
    of the time of the maximum flow. Such a function cannot create an array.
    """
    return _compiled(function, _nrt=False)


def _compiled(function: F, **options: bool) -> F:
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError as error:  # "no locator available"
        if 'cannot cache' not in str(error):
            raise
        warnings.warn(
            'numba found no folder to keep compiled code in, so each process '
            'compiles GrabCut again, which takes 20 s; set NUMBA_CACHE_DIR '
            'to a writable folder',
            stacklevel=2,
        )
        return njit(**options)(function)


@contextmanager
def announcing_compilation(message: str | None) -> Iterator[None]:
    """Print a line on stderr before numba compiles the first function.

    Nothing is printed if all compiled code comes from numba's cache.
    """
    with install_listener('numba:compile', _Announcement(message)):
        yield


class _Announcement(Listener):
    def __init__(self, message: str | None) -> None:
        self._message = message

    def on_start(self, event: Event) -> None:
        if self._message is not None:
            print(self._message, file=sys.stderr, flush=True)
            self._message = None

    def on_end(self, event: Event) -> None:
        pass
