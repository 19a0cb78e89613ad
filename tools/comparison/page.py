"""A self-contained HTML page that compares methods."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from box2seg_mmseg.files import replacing

_WIDTH = 320  # px, largest width and height of a picture


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture of a row.

    Args:
        caption: Text below the picture.
        alt: Description for readers who cannot see it.
        picture: ``(H, W, 3)`` uint8, RGB.
    """

    caption: str
    alt: str
    picture: np.ndarray


@dataclass(frozen=True)
class ImageRow:
    """An image under all methods.

    Args:
        image_id: Its name.
        classes: Names of the foreground classes of its ground truth.
        gain: Points of mIoU by which the last method is better than the first
            on this image.
        panels: The pictures of the row.
    """

    image_id: str
    classes: Sequence[str]
    gain: float
    panels: Sequence[Panel]


def write_comparison_page(
    path: str | Path,
    title: str,
    summary: str,
    reports: Mapping[str, dict],
    rows: Sequence[ImageRow],
) -> None:
    """Write the page completely or not at all.

    Args:
        path: The HTML file; its folder is created if needed.
        title: Title of the page.
        summary: A sentence or two about what the page compares.
        reports: Reports by the methods' names; see
            :meth:`LabelAreas.report`.
        rows: The images to show.
    """
    first, *_, last = reports
    classes = sorted({name for row in rows for name in row.classes})
    numbers = {name: str(i) for i, name in enumerate(classes)}
    template = Path(__file__).with_name('page.html')
    page = Template(template.read_text(encoding='utf-8')).substitute(
        title=escape(title),
        summary=escape(summary),
        head=''.join(
            f'<th scope="col"><button>{escape(name)}</button></th>'
            for name in ('class', *reports)
        ),
        body='\n'.join(_table_rows(reports)),
        images_note=escape(
            f'{len(rows)} images. Gain: difference in points of mIoU on the '
            f'image, {last} minus {first}.'
        ),
        class_options=''.join(
            f'<option value="{number}">{escape(name)}</option>'
            for name, number in numbers.items()
        ),
        rows='\n'.join(_article(row, numbers) for row in rows),
    )
    with replacing(path) as part:
        part.write_text(page, encoding='utf-8')


def _table_rows(reports: Mapping[str, dict]) -> list[str]:
    columns = list(reports.values())
    lines = [('mIoU', [column['mIoU'] for column in columns], 'mean')]
    for name in columns[0]['IoU']:
        lines.append((name, [column['IoU'][name] for column in columns], ''))
    result = []
    for name, values, kind in lines:
        best = max((v for v in values if v is not None), default=None)
        cells = []
        for value in values:
            if value is None:
                cells.append('<td data-value="-1">&ndash;</td>')
                continue
            weight = ' class="best"' if 0 < value == best else ''
            cells.append(
                f'<td data-value="{value:.3f}"><span class="bar" '
                f'style="width:{value / 20:.2f}rem"></span>'
                f'<span{weight}>{value:.1f}</span></td>'
            )
        result.append(
            f'<tr class="{kind}"><th scope="row" data-value="{escape(name)}">'
            f'{escape(name)}</th>{"".join(cells)}</tr>'
        )
    return result


def _article(row: ImageRow, numbers: Mapping[str, str]) -> str:
    classes = ' '.join(numbers[name] for name in row.classes)
    figures = ''.join(
        f'<figure><img loading="lazy" src="{_data_url(panel.picture)}" '
        f'alt="{escape(panel.alt)}"><figcaption>{escape(panel.caption)}'
        '</figcaption></figure>'
        for panel in row.panels
    )
    kind = 'gain' if row.gain >= 0 else 'loss'
    return (
        f'<article tabindex="0" data-name="{escape(row.image_id)}" '
        f'data-gain="{row.gain:.3f}" data-classes="{classes}">'
        f'<h3>{escape(row.image_id)} &middot; {escape(", ".join(row.classes))}'
        f' &middot; <span class="{kind}">{row.gain:+.1f}</span></h3>'
        f'<div class="strip" style="--pictures: {len(row.panels)}">{figures}'
        '</div></article>'
    )


def _data_url(picture: np.ndarray) -> str:
    image = Image.fromarray(picture)
    image.thumbnail((_WIDTH, _WIDTH))
    data = BytesIO()
    image.save(data, format='JPEG', quality=85)
    return 'data:image/jpeg;base64,' + b64encode(data.getvalue()).decode()
