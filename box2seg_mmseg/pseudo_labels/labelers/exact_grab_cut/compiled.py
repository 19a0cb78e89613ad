"""Compilation of the functions in this folder."""

import warnings
from collections.abc import Callable
from typing import TypeVar

from numba import njit

F = TypeVar('F', bound=Callable)


def compiled(function: F) -> F:
    """Numba's njit, whose code is kept on disk for other processes.

    Where it finds no folder to write to, as in a container with a read-only
    file system, a warning says so, and each process compiles anew.
    """
    try:
        return njit(cache=True)(function)
    except RuntimeError as error:  # "no locator available"
        if 'cannot cache' not in str(error):
            raise
        warnings.warn(
            'numba can write its compiled code nowhere, so each process '
            'compiles GrabCut anew, in 15 s; set NUMBA_CACHE_DIR to a folder',
            stacklevel=1,
        )
        return njit(function)
