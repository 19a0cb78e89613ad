"""The options with which a command line says how to make pseudo labels."""

from argparse import ArgumentError, ArgumentParser, Namespace

from ..errors import UsageError
from ..pseudo_labels import LABELERS, PseudoLabeler, build_labeler
from .custom_imports import add_custom_imports

_DEST = 'labeler_{}'  # apart from a tool's own arguments of the same name


def add_labeler_options(parser: ArgumentParser) -> None:
    """Add the method and the options of every method.

    Call it after the tool's other options are added, so that an option of a
    user's labeler that has the name of one of them is reported.

    Args:
        parser: Gets the options.
    """
    add_custom_imports(parser)
    labelers = {cls.method: cls for cls in LABELERS if cls.method is not None}
    parser.add_argument(
        '--method',
        choices=list(labelers),
        default='grabcut',
        help='how to make the pseudo labels (default: %(default)s)',
    )
    added = {}
    for method, cls in labelers.items():
        group = parser.add_argument_group(
            f'options of --method {method}', _summary(cls)
        )
        for option in cls.options:
            if option.name in added:  # of an earlier method too
                added[option.name].help += f'; {method}: {option.help}'
                continue
            try:
                # A text, which read_labeler converts: methods that share an
                # option need not agree on its type.
                added[option.name] = group.add_argument(
                    option.flag,
                    dest=_DEST.format(option.name),
                    metavar=option.type.__name__.upper(),
                    help=option.help,
                )
            except ArgumentError:
                parser.error(
                    f'{option.flag} of {cls.__name__} is an option of this '
                    'tool already; rename the argument'
                )


def read_labeler(args: Namespace) -> PseudoLabeler:
    """Build the labeler that a command line asks for.

    Args:
        args: What :func:`add_labeler_options` parsed.

    Returns:
        The labeler.

    Raises:
        UsageError: An option belongs to another method, or its value is not
            of its type or is out of range.
    """
    texts = {
        option.name: text
        for cls in LABELERS
        for option in cls.options
        if (text := getattr(args, _DEST.format(option.name), None)) is not None
    }
    (labeler,) = (cls for cls in LABELERS if cls.method == args.method)
    config = {'type': labeler.__name__}
    for option in labeler.options:
        if option.name not in texts:
            continue
        text = texts.pop(option.name)
        try:
            config[option.name] = option.type(text)
        except ValueError:
            raise UsageError(
                f'{option.flag} must be of type {option.type.__name__}. '
                f'Got: {text!r}'
            ) from None
    for name in texts:
        others = [
            cls.method
            for cls in LABELERS
            if name in (option.name for option in cls.options)
        ]
        raise UsageError(
            f'--{name.replace("_", "-")} is an option of --method '
            f'{" or ".join(others)}, not of {args.method}'
        )
    try:
        return build_labeler(config)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _summary(cls: type[PseudoLabeler]) -> str:
    return (cls.__doc__ or '').strip().partition('\n')[0]
