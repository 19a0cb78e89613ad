"""Command-line arguments that name a trained model."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..errors import UsageError


def add_model_arguments(parser: ArgumentParser) -> None:
    """Add the arguments for a config and its checkpoint."""
    parser.add_argument('config', help='config of the model')
    parser.add_argument('checkpoint', help='its checkpoint')


def check_model_files(args: Namespace) -> None:
    """Check that both files exist.

    Raises:
        UsageError: One does not.
    """
    for path in (args.config, args.checkpoint):
        if not Path(path).is_file():
            raise UsageError(f'{path}: no such file')
