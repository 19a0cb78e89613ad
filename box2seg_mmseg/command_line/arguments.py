"""Arguments that several command lines take.

The converters raise ArgumentTypeError for an invalid text.
"""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from ..boxes import COCO_CLASSES, VOC_CLASSES, check_classes
from ..errors import UsageError
from ..id_lists import read_lines


def natural_number(text: str, least: int = 0) -> int:
    """Convert a whole number, at least 0, such as a seed."""
    if not text.isdecimal() or int(text) < least:
        raise ArgumentTypeError(f'must be a number >= {least}. Got: {text}')
    return int(text)


def positive_int(text: str) -> int:
    """Convert a whole number, at least 1, that counts something."""
    return natural_number(text, least=1)


def out_file(text: str) -> Path:
    """Convert an argument that names a file to write, in any folder."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f'{path}: is a folder; name a file')
    return path


def share(text: str) -> float:
    """Convert an argument in ``[0, 1]``."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f'must be in [0, 1]. Got: {text}')
    return value


def check_not_read(out: str | Path, source: str | Path) -> None:
    """Check that a tool does not overwrite its input.

    Raises:
        UsageError: ``out`` and ``source`` are the same.
    """
    if Path(out).resolve() == Path(source).resolve():
        raise UsageError(
            f'{out}: --out would overwrite an input; choose another place'
        )


def read_classes(path: str | Path | None) -> Sequence[str]:
    """The foreground classes of a data set.

    Args:
        path: Text file with one class on each line, ``coco`` for COCO's 80, or
            None for PASCAL VOC's.

    Raises:
        UsageError: The file does not exist.
        ValueError: As :func:`check_classes`.
    """
    if path is None:
        return VOC_CLASSES
    if str(path) == 'coco':
        return COCO_CLASSES
    return check_classes(read_lines(path), str(path))
