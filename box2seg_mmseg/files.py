"""Files that are written completely or not at all; locked folders."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image

from .errors import UsageError

# What Pillow raises for a file that is truncated, corrupt or no image.
PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
)


def existing_folder(path: str | Path) -> Path:
    """The path of a folder; a UsageError if it does not exist."""
    if not Path(path).is_dir():
        raise UsageError(f'{path}: no such folder')
    return Path(path)


class FolderError(ValueError):
    """A folder cannot be used for the output of a run."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a temporary file, then move it to its path.

    Even if the process is killed, the file at the path is either the old or
    the new one. A temporary file that is left beside it ends in ``.part``.

    Args:
        path: Final path; its folder is created if needed.

    Yields:
        The temporary path to write to.

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
        # The caller does not know the temporary file. The error of a full
        # disk names no file at all.
        if error.errno and str(error.filename) in (str(part), 'None'):
            error.filename = str(path)
        raise
    finally:
        # An error here would hide that of the writing.
        with suppress(OSError):
            part.unlink()


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file, completely or not at all."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + '\n')


def record_arguments(path: Path, arguments: Mapping[str, object]) -> None:
    """Write what a work dir is made with, and refuse any other arguments.

    Args:
        path: A JSON file in the work dir.
        arguments: Values that JSON can hold.

    Raises:
        UsageError: The file has another value.
    """
    new = json.loads(json.dumps(arguments))  # a tuple becomes a list
    try:
        old = json.loads(path.read_text()) if path.exists() else new
    except ValueError as error:
        raise UsageError(
            f'{path}: cannot be read ({error}); delete {path.parent} to start '
            'over'
        ) from None
    for key, value in new.items():
        if old.get(key) != value:
            raise UsageError(
                f'{path}: {key} was {old.get(key)} and is now {value}; '
                f'choose another --work-dir, or delete {path.parent} to start '
                'over'
            )
    write_json(path, new)


@contextmanager
def only_run(folder: str | Path) -> Iterator[None]:
    """Lock a folder against other runs; create it if it does not exist.

    Raises:
        FolderError: Another run is using the folder, or the path is not a
            folder.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise FolderError(f'{folder}: not a folder; choose another path')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / '.lock'
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderError(
            f'{folder}: another run is using this folder; wait for it to '
            'finish'
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def hash_of(*parts: bytes) -> str:
    """A 128-bit hash as hexadecimal digits."""
    result = hashlib.blake2b(digest_size=16)
    for part in parts:
        result.update(len(part).to_bytes(8, 'little'))
        result.update(part)
    return result.hexdigest()
