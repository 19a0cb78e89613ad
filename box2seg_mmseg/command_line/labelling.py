"""Label the images that a command line asks for, and say what was done."""

import sys
from argparse import Namespace

from ..boxes import ReadingReport
from ..pseudo_labels import PseudoLabeler, generate_pseudo_labels
from .box_options import (
    list_skipped,
    print_report,
    read_box_source,
    read_boxes,
)


def label_split(
    args: Namespace, labeler: PseudoLabeler, fallback: str, **options: object
) -> int:
    """Make the labels of a split and print a summary.

    Args:
        args: What a parser with :func:`add_box_options`, ``--out`` and
            ``--overwrite`` has parsed.
        labeler: Makes the label maps.
        fallback: What happens to a box with a fallback, for the summary, such
            as ``'boxes filled instead of segmented'``.
        **options: More arguments of :func:`generate_pseudo_labels`.

    Returns:
        The exit status.
    """
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, total = read_boxes(args, report)
    summary = generate_pseudo_labels(
        annotations,
        labeler,
        args.out,
        overwrite=args.overwrite,
        progress=True,
        total=total,
        classes=read_box_source(args).classes,
        **options,
    )
    print_report(report)
    print(
        f'{summary.num_images} images, {summary.num_boxes} boxes -> '
        f'{args.out}; {summary.num_kept} images were already labelled'
    )
    for reason, count in sorted(summary.fallbacks.items()):
        print(f'{count} {fallback}: {reason}')
    status = list_skipped(report)
    for error in summary.errors:
        print(f'not labelled: {error}', file=sys.stderr)
    return 1 if summary.errors else status
