"""Command-line arguments that name a trained model."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
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


def check_network_classes(
    args: Namespace, classes: Sequence[str], allow_one_class: bool
) -> None:
    """Check that a network was trained for the classes of the boxes.

    Nothing is compared if the checkpoint does not name its classes.

    Args:
        args: What :func:`add_model_arguments` parsed.
        classes: The foreground classes of the boxes.
        allow_one_class: Accept a network with one foreground class, which
            sees objects of any class.

    Raises:
        UsageError: The classes differ.
    """
    from mmengine.config import Config

    from ..models.checkpoints import load_checkpoint_file
    from ..pseudo_labels.store import class_difference

    head = Config.fromfile(args.config).model.decode_head
    head = head[-1] if isinstance(head, list) else head
    num_classes = head.get('decoder', head).get('num_classes')
    loaded = load_checkpoint_file(args.checkpoint, args.trust_checkpoint)
    trained = (loaded.dataset_meta.get('classes') or ())[1:]
    if num_classes == 2 and len(trained) > 1:  # MergeClasses
        trained = ('object',)
    if not trained or (allow_one_class and len(trained) == 1):
        return
    difference = class_difference(list(trained), list(classes))
    if difference is not None:
        raise UsageError(
            f'{args.checkpoint}: its classes are not those of the boxes: '
            f'{difference}; use the class list of its training'
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
