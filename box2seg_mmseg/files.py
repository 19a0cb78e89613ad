"""Files that are written whole or not at all, folders with one writer."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image

from .errors import UsageError

# What Pillow raises of a file that is not a whole image.
PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
)


def existing_folder(path: str | Path) -> Path:
    """A folder that must exist.

    Raises:
        UsageError: There is no such folder.
    """
    if not Path(path).is_dir():
        raise UsageError(f'{path}: no such folder')
    return Path(path)


class FolderError(ValueError):
    """A folder can not take what a run writes."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a temporary file, then move it to its place.

    If the process is killed, the place has either the old or the new file,
    never a part of one. A temporary file that is left over ends in ``.part``.

    Args:
        path: The place; its folder is created if needed.

    Yields:
        The path of the temporary file, to write to.

    Raises:
        OSError: The file cannot be written; the error names ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        yield part
        part.replace(path)
    except OSError as error:
        # The user knows nothing of the temporary file. A full disk's error
        # has no name at all.
        if error.errno and str(error.filename) in (str(part), 'None'):
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file completely or not at all.

    Args:
        path: The file; its folder is created if needed.
        content: What json can serialise.
    """
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + '\n')


@contextmanager
def only_run(folder: str | Path) -> Iterator[None]:
    """Keep other runs out of a folder, which is made if absent.

    Args:
        folder: What this run alone may write to.

    Raises:
        FolderError: Another run is at work there, or it is no folder.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise FolderError(f'{folder}: not a folder; name another')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / '.lock'
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderError(
            f'{folder}: another run is at work here; wait until it ends'
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def hash_of(*parts: bytes) -> str:
    """A hash of 128 bits, in hexadecimal digits."""
    result = hashlib.blake2b(digest_size=16)
    for part in parts:
        result.update(len(part).to_bytes(8, 'little'))
        result.update(part)
    return result.hexdigest()
