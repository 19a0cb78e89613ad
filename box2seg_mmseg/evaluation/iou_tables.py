"""Tables of IoU by class, several results side by side, as text or CSV."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..files import replacing

TERMS = {
    'confused': 'pixels of a class labelled as another foreground class',
    'missed': 'pixels of a class labelled as background',
    'added': 'background pixels labelled as a class; all three relative to '
    "the class's pixels in the masks",
}


def format_iou_table(reports: Mapping[str, dict]) -> str:
    """Format a table in percent, with what its terms mean below.

    Args:
        reports: Reports of :meth:`LabelAreas.report` for the same classes, by
            the names of their columns.
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
    lines += [
        f'{term}: {meaning}'
        for term, meaning in TERMS.items()
        if term in next(iter(reports.values()))
    ]
    return '\n'.join(lines)


def write_iou_csv(path: str | Path, reports: Mapping[str, dict]) -> None:
    """Write the table of :func:`format_iou_table` as CSV, with all digits."""
    with (
        replacing(path) as part,
        part.open('w', newline='', encoding='utf-8') as file,
    ):
        csv.writer(file).writerows(_rows(reports))


def _rows(reports: Mapping[str, dict]) -> Iterator[list]:
    yield ['class', *reports]
    columns = reports.values()
    for name in next(iter(columns))['IoU']:
        yield [name, *(column['IoU'][name] for column in columns)]
    for key in next(iter(columns)):
        if key != 'IoU':
            yield [key, *(column[key] for column in columns)]
