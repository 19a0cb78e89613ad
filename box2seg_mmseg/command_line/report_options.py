"""The options with which a command line writes IoU by class to files."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from ..files import write_json
from .arguments import out_file


def add_report_options(parser: ArgumentParser) -> None:
    """Add the files."""
    parser.add_argument(
        '--json',
        type=out_file,
        metavar='FILE',
        help='write the figures as JSON too',
    )
    parser.add_argument(
        '--csv',
        type=out_file,
        metavar='FILE',
        help='write the table as CSV too',
    )


def write_reports(
    args: Namespace, reports: Mapping[str, dict], content: object
) -> None:
    """Print a table and write the files that are asked for.

    Args:
        args: What :func:`add_report_options` parsed.
        reports: By the columns' names; see :func:`format_iou_table`.
        content: What the JSON file says.
    """
    # The package evaluation imports torch, which --help does not need.
    from ..evaluation import format_iou_table, write_iou_csv

    print(format_iou_table(reports))
    if args.json:
        write_json(args.json, content)
    if args.csv:
        write_iou_csv(args.csv, reports)
