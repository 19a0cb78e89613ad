"""The options with which a command line says how to make pseudo labels."""

from argparse import ArgumentParser, Namespace
from inspect import signature

from ..errors import UsageError
from ..pseudo_labels import LABELERS, PseudoLabeler
from .choices import add_choice, read_choice


def add_labeler_options(parser: ArgumentParser) -> None:
    """Add the method and the options of every method.

    Call it after the tool's other options are added; see :func:`add_choice`.
    """
    add_choice(
        parser, LABELERS, 'method', 'grabcut', 'how to make the pseudo labels'
    )


def read_labeler(args: Namespace) -> PseudoLabeler:
    """Build the labeler that :func:`add_labeler_options` parsed.

    Raises:
        UsageError: As :func:`read_choice`, a value is out of range, or an
            option that the method needs is missing.
    """
    labeler, arguments = read_choice(args, LABELERS, 'method')
    for option in labeler.options:
        parameter = signature(labeler).parameters[option.name]
        is_required = parameter.default is parameter.empty
        if is_required and option.name not in arguments:
            raise UsageError(f'--method {args.method} needs {option.flag}')
    try:
        return labeler(**arguments)
    except ValueError as error:
        raise UsageError(str(error)) from None
