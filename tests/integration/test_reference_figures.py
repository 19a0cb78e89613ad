"""The figures that voc-mini's README gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.mark.parametrize(
    ('method', 'miou', 'tolerance'),
    [('box_fill', 56.1, 0.1), ('grabcut', 70.3, 0.4)],
)
def test_pseudo_labels_of_voc_mini(
    data_dir, tmp_path, method, miou, tolerance
):
    root = data_dir / 'voc-mini'
    split = root / 'ImageSets/Segmentation/val.txt'
    _run(
        'generate_pseudo_labels.py',
        root,
        *('--format', 'voc', '--split', split, '--method', method),
        *('--out', tmp_path / 'labels', '--workers', os.cpu_count() or 1),
    )
    _run(
        'evaluate_pseudo_labels.py',
        *(tmp_path / 'labels', root / 'SegmentationClass'),
        *('--split', split, '--json', tmp_path / 'report.json'),
    )
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['images'] == 182
    assert report['mIoU'] == pytest.approx(miou, abs=tolerance)
    assert len(report['IoU']) == 21


def _run(tool, *arguments):
    command = [sys.executable, TOOLS / tool, *map(str, arguments)]
    subprocess.run(command, check=True)
