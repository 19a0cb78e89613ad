"""Command-line options that write IoU by class to files."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from ..files import write_json
from .arguments import out_file


def add_report_options(parser: ArgumentParser) -> None:
    """Add ``--json`` and ``--csv``."""
    for flag, what in (
        ('--json', 'results as JSON'),
        ('--csv', 'table as CSV'),
    ):
        parser.add_argument(
            flag, type=out_file, metavar='FILE', help=f'also write the {what}'
        )


def write_reports(
    args: Namespace, reports: Mapping[str, dict], content: object
) -> None:
    """Print a table and write the requested files.

    Args:
        args: What :func:`add_report_options` parsed.
        reports: By column; see :func:`format_iou_table`.
        content: Content of the JSON file.
    """
    # The package evaluation imports torch, which --help does not need.
    from ..evaluation import format_iou_table, write_iou_csv

    print(format_iou_table(reports))
    if args.json:
        write_json(args.json, content)
    if args.csv:
        write_iou_csv(args.csv, reports)
