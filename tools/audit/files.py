"""The files that an audit of boxes leaves."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from box2seg_mmseg.audit import MODES, Finding
from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.files import replacing, write_json

from .page import write_page

_VERSION = 1  # of audit.json
_COLUMNS = ('mode', 'score', 'reason', 'image_id', 'box_index', 'box_id')
_CORNERS = ('x1', 'y1', 'x2', 'y2')


def write_audit(
    findings: Sequence[Finding],
    images: Sequence[BoxAnnotations],
    classes: Sequence[str],
    out_dir: str | Path,
    options: Mapping[str, Any],
    progress: bool = False,
) -> None:
    """Write audit.json, findings.csv, images.csv and the page.

    Args:
        findings: Those of each mode, the most suspicious first.
        images: The boxes that were audited.
        classes: Names of the foreground classes.
        out_dir: Folder to write to; created if needed.
        options: How the audit was made, for the page.
        progress: Show a progress bar on stderr.
    """
    out_dir = Path(out_dir)
    content = audit_content(findings, images, classes, options)
    write_json(out_dir / 'audit.json', content)
    _write_csv(
        out_dir / 'findings.csv',
        (
            *_COLUMNS,
            'class',
            *_CORNERS,
            *(f'suggested_{corner}' for corner in _CORNERS),
        ),
        (
            (
                *(one[key] for key in (*_COLUMNS, 'class')),
                *one['box'],
                *(one['suggestion'] or [None] * 4),
            )
            for one in content['findings']
        ),
    )
    _write_csv(
        out_dir / 'images.csv',
        ('image_id', *MODES),
        _worst_of_images(findings, images),
    )
    write_page(content, out_dir, progress=progress)


def audit_content(
    findings: Iterable[Finding],
    images: Iterable[BoxAnnotations],
    classes: Sequence[str],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of audit.json, as :func:`write_page` takes it."""
    described = {}
    for image in images:
        ids = image.ids
        described[image.image_id] = dict(
            path=image.image_path,
            size=list(image.size),
            boxes=[
                {
                    'box': [round(value, 2) for value in box],
                    'class': classes[label - 1],
                    'id': None if ids is None else ids[k],
                }
                for k, (box, label) in enumerate(
                    zip(image.boxes.tolist(), image.labels, strict=True)
                )
            ],
        )
    return dict(
        version=_VERSION,
        classes=list(classes),
        num_images=len(described),
        num_boxes=sum(len(one['boxes']) for one in described.values()),
        options=dict(options),
        images=described,
        findings=[_described(one, described) for one in findings],
    )


def _described(
    finding: Finding, images: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    box = {'class': None, 'id': None}
    if finding.index is not None:
        box = images[finding.image_id]['boxes'][finding.index]
    suggestion = finding.suggestion
    return {
        'mode': finding.mode,
        'score': round(finding.score, 4),
        'reason': finding.reason,
        'image_id': finding.image_id,
        'box_index': finding.index,
        'box_id': box['id'],
        'class': box['class'],
        'box': [round(value, 2) for value in finding.box],
        'suggestion': suggestion and [round(value, 2) for value in suggestion],
    }


def _worst_of_images(
    findings: Iterable[Finding], images: Iterable[BoxAnnotations]
) -> list[tuple[str, ...]]:
    """Each image and its highest score of each mode.

    Scores of different modes cannot be compared. The order is therefore that
    of the best place that an image has among the findings of any mode.
    """
    worst = {image.image_id: dict.fromkeys(MODES, 0.0) for image in images}
    places = dict.fromkeys(worst, math.inf)
    counts = dict.fromkeys(MODES, 0)
    for one in findings:  # of each mode, the most suspicious first
        scores = worst[one.image_id]
        scores[one.mode] = max(scores[one.mode], round(one.score, 4))
        places[one.image_id] = min(places[one.image_id], counts[one.mode])
        counts[one.mode] += 1
    rows = [(name, *scores.values()) for name, scores in worst.items()]
    return sorted(rows, key=lambda row: (places[row[0]], row[0]))


def _write_csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    with (
        replacing(path) as part,
        part.open('w', newline='', encoding='utf-8') as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
