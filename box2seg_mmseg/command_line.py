"""What the command lines in ``tools/`` share."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from .boxes import VOC_CLASSES


class UsageError(ValueError):
    """The command line asks for what can not be: exit status 2."""


def positive_int(text: str) -> int:
    """An argument that counts something.

    Raises:
        ArgumentTypeError: It is no whole number of at least 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f'must be a number >= 1. Got: {text}')
    return int(text)


def run(main: Callable[[Namespace], int], parser: ArgumentParser) -> None:
    """Parse the arguments, run the tool and exit with its status.

    Exit status: 0 done, 1 something in the data was bad, 2 wrong use, 130
    interrupted. Errors go to stderr in one line; ``--debug`` shows the stack
    trace.

    Args:
        main: Takes the arguments, returns the exit status.
        parser: The tool's command line.
    """
    parser.add_argument(
        '--debug', action='store_true', help='show the stack trace of an error'
    )
    args = parser.parse_args()
    try:
        status = main(args)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        status = 130
    except Exception as error:
        if args.debug:
            raise
        text = ' '.join(str(error).split()) or type(error).__name__
        print(f'{parser.prog}: error: {text}', file=sys.stderr)
        status = 2 if isinstance(error, UsageError) else 1
    raise SystemExit(status)


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
    ids = _lines(path)
    if not ids:
        raise ValueError(f'{path}: names no image')
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ValueError(f'{path}: names {twice} more than once')
    return ids


def read_classes(path: str | Path | None) -> Sequence[str]:
    """The foreground classes of a data set.

    Args:
        path: Text file with one class a line, or None for PASCAL VOC's.

    Returns:
        Their names; the first has label 1.

    Raises:
        UsageError: There is no such file.
        ValueError: The file names no class, one twice, or the background.
    """
    if path is None:
        return VOC_CLASSES
    classes = tuple(_lines(path))
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f'{path}: must name classes, each once')
    if 'background' in classes:
        raise ValueError(
            f'{path}: must not name the background, which is always label 0'
        )
    return classes


def _lines(path: str | Path) -> list[str]:
    if not Path(path).is_file():
        raise UsageError(f'{path}: no such file')
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return [line for line in lines if line]
