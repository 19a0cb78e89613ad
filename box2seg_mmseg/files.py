"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file beside its place, then put it there.

    Whatever ends the process, the file at the place is the old or the new
    one. What is left beside it ends in ``.part``.

    Args:
        path: The place; its folder must exist.

    Yields:
        The path to write to.
    """
    path = Path(path)
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
