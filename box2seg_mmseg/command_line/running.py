"""Run a command line: exit status, errors, interruption."""

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from .. import register_all_modules
from ..errors import UsageError


def run(main: Callable[[Namespace], int], parser: ArgumentParser) -> None:
    """Parse the arguments, run the tool and exit with its status.

    Everything is registered with mmseg's registries before the tool runs.

    The exit status is 0 on success, 1 if something in the data is bad, 2 for
    a usage error, 130 if interrupted and 143 if terminated (SIGTERM), which
    cleans up as an interruption does. Errors go to stderr in one line; with
    ``--debug`` the stack trace is shown.

    Args:
        main: The tool; it takes the arguments and returns the exit status.
        parser: The tool's command line.
    """
    parser.add_argument(
        '--debug', action='store_true', help='show the stack trace of an error'
    )
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        register_all_modules()
        status = main(args)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        status = 130
    except Exception as error:
        if args.debug:
            raise
        text = ' '.join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.filename is not None:
            text = f'{error.filename}: {error.strerror}'
        print(f'{parser.prog}: error: {text}', file=sys.stderr)
        status = 2 if isinstance(error, UsageError) else 1
    raise SystemExit(status)


def _terminate(number: int, _: object) -> None:
    """Leave as after an error, so that locks and children do not remain."""
    raise SystemExit(128 + number)
