"""Options of the tools that refine pseudo labels."""

from argparse import ArgumentParser, ArgumentTypeError

from .arguments import share


def add_refinement_options(parser: ArgumentParser) -> None:
    """Add the options of :class:`RefinedLabels` that depend on the data."""
    parser.add_argument(
        '--tightness',
        type=_share_below_one,
        default=0.65,
        metavar='P',
        help='raise the highest probability in each row and column of a box '
        'to at least this; 0 for boxes that do not fit their objects '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--no-crf',
        action='store_true',
        help='take the more probable value of each pixel, without dense CRF',
    )


def _share_below_one(text: str) -> float:
    value = share(text)
    if value == 1:
        raise ArgumentTypeError(f'must be less than 1. Got: {text}')
    return value
