"""The options with which a command line says how to make pseudo labels."""

from argparse import ArgumentParser, Namespace

from ..errors import UsageError
from ..pseudo_labels import (
    BACKENDS,
    NUM_PERTURBATIONS,
    PseudoLabeler,
    build_labeler,
)
from .arguments import positive_int, share

_METHODS = {
    'grabcut': (
        'GrabCut',
        (
            'iterations',
            'seed',
            'backend',
            'margin',
            'scale',
            'ignore_unstable',
            'perturbations',
        ),
    ),
    'box_fill': ('BoxFill', ('inner',)),
}


def add_labeler_options(parser: ArgumentParser) -> None:
    """Add the method and what the method needs."""
    parser.add_argument(
        '--method',
        choices=list(_METHODS),
        default='grabcut',
        help='grabcut: Algorithm 1 of the paper; box_fill: filled boxes '
        '(default: grabcut)',
    )
    grab_cut = parser.add_argument_group('options of grabcut')
    grab_cut.add_argument(
        '--iterations', type=positive_int, help='of GrabCut (default: 5)'
    )
    grab_cut.add_argument(
        '--seed', type=int, help='of its random numbers (default: 0)'
    )
    grab_cut.add_argument(
        '--backend',
        choices=list(BACKENDS),
        help="numba, compiled once on a machine, gives opencv's masks in a "
        'fraction of its time (default: numba)',
    )
    grab_cut.add_argument(
        '--margin',
        type=float,
        help='how much a cut sees around its box, as a share of the width '
        'and height of the box (default: the whole photograph)',
    )
    grab_cut.add_argument(
        '--scale',
        type=share,
        help='shrink the photographs to this share of their width and '
        'height: faster, and less accurate (default: 1)',
    )
    grab_cut.add_argument(
        '--ignore-unstable',
        type=share,
        metavar='SHARE',
        help='label a pixel of a box 255 where less than this share of the '
        'cuts of perturbed boxes agree (default: 0, no pixel)',
    )
    grab_cut.add_argument(
        '--perturbations',
        type=positive_int,
        metavar='N',
        help='cut N perturbed boxes a box and record the agreement '
        f'(default: {NUM_PERTURBATIONS} with --ignore-unstable, else none)',
    )
    box_fill = parser.add_argument_group('options of box_fill')
    box_fill.add_argument(
        '--inner',
        type=share,
        metavar='SHARE',
        help='fill this share of the area of a box and ignore its rest; 0.2 '
        'is Box^i (default: 1, the whole box)',
    )


def read_labeler(args: Namespace) -> PseudoLabeler:
    """The labeler that a command line asks for.

    Args:
        args: What :func:`add_labeler_options` parsed.

    Returns:
        The labeler.

    Raises:
        UsageError: An option belongs to another method, or is out of range.
    """
    config = {}
    for method, (type_, names) in _METHODS.items():
        given = {n: v for n in names if (v := getattr(args, n)) is not None}
        if method == args.method:
            config.update(type=type_, **given)
        elif given:
            option = next(iter(given)).replace('_', '-')
            raise UsageError(f'--{option} is an option of --method {method}')
    try:
        return build_labeler(config)
    except ValueError as error:
        raise UsageError(str(error)) from None
