"""An HTML page to look through the findings of a box audit and mark them.

The page is one file, which holds all boxes and findings as columns of
numbers and shows 60 findings at a time. So 100,000 boxes are some megabytes
to load, and a filter is one loop over an array. Only the thumbnails differ
with the size of the audit:

- Up to 300 images they are part of the page, which then needs nothing else.
- Otherwise they lie in ``thumbnails/`` beside it, and the browser loads
  those of the findings that it shows.

A thumbnail is a photograph without boxes. The page draws the boxes over it,
so that one thumbnail serves all findings of an image. Only the images of the
worst findings of each mode have one; the page shows the boxes of the others
on an empty picture and links to their photographs.
"""

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from box2seg_mmseg.files import hash_of, replacing

from .thumbnails import write_thumbnails

PAGE_NAME = 'audit.html'
THUMBNAIL_FOLDER = 'thumbnails'
MAX_EMBEDDED = 300  # images
MAX_THUMBNAILS = 2000  # findings of each mode
_PARTS = Path(__file__).parent


def write_page(
    audit: Mapping[str, Any], out_dir: str | Path, progress: bool = False
) -> None:
    """Write ``audit.html`` and its thumbnails.

    Args:
        audit: The content of ``audit.json``.
        out_dir: Folder to write to; created if needed.
        progress: Show a progress bar on stderr.

    Raises:
        ImageError: A photograph that needs a thumbnail cannot be read.
    """
    out_dir = Path(out_dir)
    images = audit['images']
    shown = worst_images(audit['findings'], MAX_THUMBNAILS)
    paths = {name: images[name]['path'] for name in shown}
    thumbnails = write_thumbnails(
        {paths[name]: tuple(images[name]['size']) for name in shown},
        None if len(shown) <= MAX_EMBEDDED else out_dir / THUMBNAIL_FOLDER,
        progress,
    )
    data = page_data(audit, out_dir)
    numbers = {name: number for number, name in enumerate(images)}
    data['thumbnails'] = {
        numbers[name]: _url(thumbnails[path]) for name, path in paths.items()
    }
    modes = data['modes']
    counts = [data['findings']['mode'].count(i) for i in range(len(modes))]
    page = Template(_part('page.html')).substitute(
        summary=f'{audit["num_boxes"]:,} boxes in {audit["num_images"]:,} '
        'images. Findings: '
        + ', '.join(
            f'{count:,} {escape(mode)}'
            for mode, count in zip(modes, counts, strict=True)
        )
        + '. Of each error, the highest score is the most suspicious.',
        options=escape(json.dumps(audit.get('options', {}), indent=2)),
        style=_part('page.css'),
        script=_part('marks.js') + _part('page.js'),
        data=_json_for_html(data),
    )
    with replacing(out_dir / PAGE_NAME) as part:
        part.write_text(page, encoding='utf-8')


def worst_images(
    findings: Iterable[Mapping[str, Any]], worst: int
) -> list[str]:
    """The images of the first findings of each mode, each once, in order."""
    counts: dict[str, int] = {}
    result: dict[str, None] = {}
    for finding in findings:
        counts[finding['mode']] = counts.get(finding['mode'], 0) + 1
        if counts[finding['mode']] <= worst:
            result[finding['image_id']] = None
    return list(result)


def page_data(audit: Mapping[str, Any], out_dir: Path) -> dict[str, Any]:
    """The audit in the compact form that ``marks.js`` reads.

    A box has a number, counted over all images. A finding's ``box`` is the
    index of the box in its image or, for a region without a box, minus one
    minus the number of the region.

    Args:
        audit: The content of ``audit.json``.
        out_dir: Folder of the page; the photographs' URLs are relative to it.
    """
    modes, classes, folders, reasons = (_Table() for _ in range(4))
    for name in audit['classes']:
        classes.number(name)
    images: dict[str, list] = {
        'id': list(audit['images']),
        'size': [],
        'folder': [],
        'name': [],
        'first': [0],
    }
    boxes: dict[str, list] = {'box': [], 'class': [], 'id': []}
    for image in audit['images'].values():
        folder, name = _photograph_url(image['path'], out_dir)
        images['folder'].append(folders.number(folder))
        images['name'].append(name)
        images['size'] += image['size']
        for box in image['boxes']:
            boxes['box'] += map(_short, box['box'])
            boxes['class'].append(classes.number(box['class']))
            boxes['id'].append(box['id'])
        images['first'].append(len(boxes['class']))
    numbers = {name: number for number, name in enumerate(images['id'])}
    regions: list[float] = []
    findings: dict[str, list] = {
        key: [] for key in ('mode', 'score', 'reason', 'image', 'class', 'box')
    }
    for finding in audit['findings']:
        index, name = finding['box_index'], finding['class']
        if index is None:
            index = -1 - len(regions) // 4
            regions += map(_short, finding['box'])
        findings['mode'].append(modes.number(finding['mode']))
        findings['score'].append(round(finding['score'], 4))
        findings['reason'].append(reasons.number(finding['reason']))
        findings['image'].append(numbers[finding['image_id']])
        findings['class'].append(-1 if name is None else classes.number(name))
        findings['box'].append(index)
    suggestions = {
        number: list(map(_short, finding['suggestion']))
        for number, finding in enumerate(audit['findings'])
        if finding['suggestion'] is not None
    }
    return {
        'key': _hash_of_boxes(audit['images']),
        'modes': list(modes),
        'classes': list(classes),
        'folders': list(folders),
        'reasons': list(reasons),
        'images': images,
        'boxes': boxes,
        'regions': regions,
        'findings': findings,
        'suggestions': suggestions,
    }


class _Table(dict[str, int]):
    """Texts, each of which has a number."""

    def number(self, text: str) -> int:
        return self.setdefault(text, len(self))


def _hash_of_boxes(images: Mapping[str, Any]) -> str:
    """A hash of what a mark refers to.

    It depends neither on the scores nor on where the photographs lie: the
    marks of an audit are valid in another audit of the same boxes.
    """
    boxes = [(name, image['boxes']) for name, image in images.items()]
    return hash_of(json.dumps(boxes).encode())


def _photograph_url(path: str, out_dir: Path) -> tuple[str, str]:
    """Folder and name of a photograph, as a URL relative to the page."""
    relative = os.path.relpath(path, out_dir)
    url = quote(os.fsencode(Path(relative).as_posix()))
    folder, _, name = url.rpartition('/')
    return folder or '.', name


def _url(thumbnail: str | bytes) -> str:
    if isinstance(thumbnail, str):
        return f'{THUMBNAIL_FOLDER}/{thumbnail}'
    return 'data:image/jpeg;base64,' + b64encode(thumbnail).decode()


def _short(value: float) -> float:
    """A coordinate to 0.01 px, without needless digits."""
    return int(value) if value == int(value) else round(value, 2)


def _json_for_html(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element around it."""
    return json.dumps(data, separators=(',', ':')).replace('<', '\\u003c')


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding='utf-8')
