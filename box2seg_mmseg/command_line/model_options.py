"""Command-line arguments that name a trained model."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from ..errors import UsageError
from ..installed import find_config


def add_model_arguments(parser: ArgumentParser) -> None:
    """Add the arguments for a config and its checkpoint."""
    parser.add_argument('config', help='config of the model')
    parser.add_argument('checkpoint', help='its checkpoint')
    add_trust_option(parser)


def add_trust_option(parser: ArgumentParser) -> None:
    """Add the permission to load all objects in a checkpoint."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load a checkpoint whose weights are other objects than tensors, '
        'such as a whole pickled model; loading it can run code that the file '
        'contains',
    )


def add_device_option(
    parser: ArgumentParser,
    help: str = 'torch device, such as cuda (default: %(default)s)',
) -> None:
    """Add the device that models run on."""
    parser.add_argument(
        '--device',
        type=_device,
        default='cpu',
        help=help,
    )


def check_model_files(args: Namespace) -> None:
    """Check early that both files exist.

    Args:
        args: What :func:`add_model_arguments` parsed; the name of a shipped
            config becomes its path.

    Raises:
        UsageError: One of them does not exist.
    """
    args.config = str(find_config(args.config))
    if not Path(args.checkpoint).is_file():
        raise UsageError(f'{args.checkpoint}: no such file')


def _device(text: str) -> str:
    # torch is imported only now, so that --help is fast.
    from ..device import check_device

    try:
        return check_device(text)
    except UsageError as error:
        raise ArgumentTypeError(str(error)) from None
