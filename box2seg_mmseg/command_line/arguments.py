"""Arguments that several command lines take."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from ..boxes import COCO_CLASSES, VOC_CLASSES
from ..errors import UsageError
from ..id_lists import read_lines
from ..label_maps import IGNORE


def positive_int(text: str) -> int:
    """An argument that counts something.

    Raises:
        ArgumentTypeError: It is no whole number of at least 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f'must be a number >= 1. Got: {text}')
    return int(text)


def natural_number(text: str) -> int:
    """An argument that seeds random numbers.

    Raises:
        ArgumentTypeError: It is no whole number of at least 0.
    """
    if not text.isdecimal():
        raise ArgumentTypeError(f'must be a number >= 0. Got: {text}')
    return int(text)


def out_file(text: str) -> Path:
    """An argument that names a file to write; its folder may be absent.

    Raises:
        ArgumentTypeError: It is a folder.
    """
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f'{path}: is a folder; name a file')
    return path


def share(text: str) -> float:
    """An argument in ``[0, 1]``.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f'must be in [0, 1]. Got: {text}')
    return value


def check_not_read(out: str | Path, source: str | Path) -> None:
    """Find out that a tool would write over what it reads.

    Raises:
        UsageError: It would.
    """
    if Path(out).resolve() == Path(source).resolve():
        raise UsageError(f'{out}: is read; give another --out')


def read_classes(path: str | Path | None) -> Sequence[str]:
    """The foreground classes of a data set.

    Args:
        path: Text file with one class a line, ``coco`` for COCO's 80, or None
            for PASCAL VOC's.

    Returns:
        Their names; the first has label 1.

    Raises:
        UsageError: There is no such file.
        ValueError: The file names no class, one twice, too many for a label
            map, or the background.
    """
    if path is None:
        return VOC_CLASSES
    if str(path) == 'coco':
        return COCO_CLASSES
    classes = tuple(read_lines(path))
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f'{path}: must name classes, each once')
    if len(classes) >= IGNORE:
        raise ValueError(
            f'{path}: names {len(classes)} classes; label maps hold at most '
            f'{IGNORE - 1}'
        )
    if 'background' in classes:
        raise ValueError(
            f'{path}: must not name the background, which is always label 0'
        )
    return classes
