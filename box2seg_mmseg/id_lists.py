"""Text files with one name a line: splits and class lists."""

from pathlib import Path

from .errors import UsageError


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file that are not empty, stripped.

    Raises:
        UsageError: There is no such file.
        ValueError: The file is not text in UTF-8.
    """
    if not Path(path).is_file():
        raise UsageError(f'{path}: no such file')
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path}: not a text file in UTF-8: {error}'
        ) from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line]


def read_split(path: str | Path) -> list[str]:
    """The image ids of a split file.

    Args:
        path: Text file with one id a line; empty lines are skipped.

    Returns:
        The ids, in order.

    Raises:
        UsageError: There is no such file.
        ValueError: The file names no image, or one twice.
    """
    ids = read_lines(path)
    if not ids:
        raise ValueError(f'{path}: names no image')
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ValueError(f'{path}: names {twice} more than once')
    return ids
