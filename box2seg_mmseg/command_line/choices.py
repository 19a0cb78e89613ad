"""Options that choose a registered class, and the options of each class."""

from argparse import ArgumentError, ArgumentParser, Namespace
from typing import Any

from ..errors import UsageError
from ..option import Option
from ..registry import Registry
from .custom_imports import add_custom_imports


def add_choice(
    parser: ArgumentParser,
    registry: Registry,
    name: str,
    default: str,
    help: str,
) -> None:
    """Add an option such as ``--method``, and the options of its choices.

    Call it after the tool's other options are added, so that an option of a
    user's class that has the name of one of them is reported.

    Args:
        parser: Gets the options.
        registry: The classes to choose from. The class attribute ``name`` is
            the choice, or None for a class that only configs use; ``options``
            are its own options.
        name: The option without dashes, such as ``'method'``.
        default: The default choice.
        help: What the option chooses.
    """
    add_custom_imports(parser)
    classes = _choices(registry, name)
    parser.add_argument(
        f'--{name}',
        choices=list(classes),
        default=default,
        help=f'{help} (default: %(default)s)',
    )
    groups = {
        choice: parser.add_argument_group(
            f'options of --{name} {choice}',
            (cls.__doc__ or '').strip().partition('\n')[0],
        )
        for choice, cls in classes.items()
    }
    by_flag: dict[str, dict[str, Option]] = {}
    for choice, cls in classes.items():
        for option in cls.options:
            by_flag.setdefault(option.flag, {})[choice] = option
    shared = parser.add_argument_group(f'options of several --{name} choices')
    for flag, options in by_flag.items():
        (choice, option), *others = options.items()
        text = '; '.join(f'{key}: {one.help}' for key, one in options.items())
        try:
            # A text, which read_choice converts: classes that share an option
            # need not agree on its type.
            (shared if others else groups[choice]).add_argument(
                flag,
                dest=_dest(name, option),
                metavar=option.name.rpartition('_')[2].upper(),
                help=text if others else option.help,
            )
        except ArgumentError:
            parser.error(
                f'{flag} of {classes[choice].__name__} is an option of this '
                'tool already; rename the argument'
            )


def read_choice(
    args: Namespace, registry: Registry, name: str
) -> tuple[type, dict[str, Any]]:
    """The class that :func:`add_choice` parsed, and its arguments.

    Raises:
        UsageError: An option belongs to another choice, or its value is not
            of its type.
    """
    classes = _choices(registry, name)
    chosen = getattr(args, name)
    given: dict[str, dict[str, Option]] = {}
    for choice, cls in classes.items():
        for option in cls.options:
            if getattr(args, _dest(name, option)) is not None:
                given.setdefault(option.flag, {})[choice] = option
    arguments = {}
    for flag, options in given.items():
        if chosen not in options:
            raise UsageError(
                f'{flag} is an option of --{name} {" or ".join(options)}, '
                f'not of {chosen}'
            )
        option = options[chosen]
        text = getattr(args, _dest(name, option))
        try:
            arguments[option.name] = option.type(text)
        except ValueError:
            raise UsageError(
                f'{flag} must be of type {option.type.__name__}. Got: {text!r}'
            ) from None
    return classes[chosen], arguments


def _choices(registry: Registry, name: str) -> dict[str, type]:
    classes = {getattr(cls, name): cls for cls in registry}
    return {key: cls for key, cls in classes.items() if key is not None}


def _dest(name: str, option: Option) -> str:
    # Apart from a tool's own arguments of the same name.
    return f'{name}_{option.flag.strip("-").replace("-", "_")}'
