"""The arguments with which a command line names a trained model."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..errors import UsageError


def add_model_arguments(parser: ArgumentParser) -> None:
    """Add a config and a checkpoint, for :func:`check_model_files`."""
    parser.add_argument('config', help='config of the model')
    parser.add_argument('checkpoint', help='its checkpoint')


def check_model_files(args: Namespace) -> None:
    """Find out early that a file is not there.

    Raises:
        UsageError: It is not.
    """
    for path in (args.config, args.checkpoint):
        if not Path(path).is_file():
            raise UsageError(f'{path}: no such file')
