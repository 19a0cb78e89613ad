"""Text files with one name a line: splits and class lists."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .errors import UsageError
from .files import replacing


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
    if '\0' in text:
        raise ValueError(f'{path}: not a text file: it has a zero byte')
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line]


def write_lines(path: str | Path, names: Iterable[str]) -> None:
    """Write one name a line, all or nothing; see :func:`replacing`."""
    with replacing(path) as part:
        part.write_text(''.join(f'{name}\n' for name in names), 'utf-8')


def read_split(path: str | Path) -> list[str]:
    """The image ids of a split file, in order.

    Raises:
        UsageError: There is no such file.
        ValueError: The file names no image, or one twice.
    """
    ids = read_lines(path)
    if not ids:
        raise ValueError(f'{path}: names no image')
    twice = find_repeated(ids)
    if twice is not None:
        raise ValueError(f'{path}: names {twice} more than once')
    return ids


def find_repeated(names: Iterable[str]) -> str | None:
    """The name that occurs most often, or None if all names differ."""
    for name, count in Counter(names).most_common(1):
        if count > 1:
            return name
    return None


def sample_split(
    image_ids: Sequence[str], share: float, seed: int = 0
) -> list[str]:
    """Draw images without replacement, in the split's order.

    Args:
        image_ids: The images of the split.
        share: Share of them to draw, in ``[0, 1]``; rounded to whole images,
            at least one.
        seed: Two shares of one seed are nested: the smaller is part of the
            larger.
    """
    count = max(round(share * len(image_ids)), 1)
    order = np.random.default_rng(seed).permutation(len(image_ids))
    return [image_ids[i] for i in np.sort(order[:count])]
