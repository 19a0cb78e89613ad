"""IoU by class as text and CSV, several results side by side."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..files import replacing


def format_iou_table(reports: Mapping[str, dict]) -> str:
    """A table for people to read: a row a class, a column a result.

    Args:
        reports: By the columns' names, each as
            :meth:`LabelAreas.report` makes it, of the same classes.

    Returns:
        Its lines, figures in percent.
    """
    widths = [max(8, len(name) + 2) for name in reports]
    lines = []
    for label, *values in _rows(reports):
        cells = (
            f'{value:>{width}.1f}'
            if isinstance(value, float)
            else f'{"-" if value is None else value:>{width}}'
            for value, width in zip(values, widths, strict=True)
        )
        lines.append(f'{label:<20}{"".join(cells)}')
    return '\n'.join(lines)


def write_iou_csv(path: str | Path, reports: Mapping[str, dict]) -> None:
    """The same table as CSV, with all digits.

    Args:
        path: The file; its folder must exist.
        reports: As for :func:`format_iou_table`.
    """
    with replacing(path) as part, part.open('w', newline='') as file:
        csv.writer(file).writerows(_rows(reports))


def _rows(reports: Mapping[str, dict]) -> Iterator[list]:
    yield ['class', *reports]
    columns = reports.values()
    for name in next(iter(columns))['IoU']:
        yield [name, *(column['IoU'][name] for column in columns)]
    for key in next(iter(columns)):
        if key != 'IoU':
            yield [key, *(column[key] for column in columns)]
