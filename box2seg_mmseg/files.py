"""Files that are written whole or not at all."""

import json
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


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file, whole or not at all.

    Args:
        path: The file; its folder must exist.
        content: What json can serialise.
    """
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + '\n')
