"""What the command lines in ``tools/`` share."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from .boxes import VOC_CLASSES


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
    except (OSError, ValueError, RuntimeError) as error:
        if args.debug:
            raise
        print(f'{parser.prog}: error: {error}', file=sys.stderr)
        status = 1
    raise SystemExit(status)


def read_split(path: str | Path) -> list[str]:
    """The image ids of a split file.

    Args:
        path: Text file with one id a line; empty lines are skipped.

    Returns:
        The ids, in order.

    Raises:
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
    """The foreground classes in a text file, one a line; VOC's for None."""
    return VOC_CLASSES if path is None else tuple(_lines(path))


def _lines(path: str | Path) -> list[str]:
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return [line for line in lines if line]
