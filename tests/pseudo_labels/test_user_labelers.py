"""Labelers from a module outside the package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.utils import import_modules_from_strings
from mmseg.registry import TRANSFORMS
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML, pixel_boxes
from box2seg_mmseg.pseudo_labels import (
    PseudoLabeler,
    Segment,
    generate_pseudo_labels,
)

ROOT = Path(__file__).resolve().parents[2]
MODULE = '''
import numpy as np

from box2seg_mmseg.pseudo_labels import (
    LABELERS, Option, PseudoLabeler, Segment,
)


@LABELERS.register_module()
class TopRows(PseudoLabeler):
    """Labels the first rows of a box."""

    method = 'top_rows'
    options = (Option('rows', int, 'how many (default: 1)'),)

    def __init__(self, rows=1):
        self.rows = rows
        self._not_an_argument = object

    def segmenter(self, image):
        return self._segment

    def _segment(self, box):
        x1, y1, x2, y2 = box
        values = np.zeros((y2 - y1, x2 - x1), np.uint8)
        values[: self.rows] = 1
        return Segment(values)
'''


@pytest.fixture
def module(tmp_path):
    (tmp_path / 'top_rows_labeler.py').write_text(MODULE)
    return tmp_path


def _top_rows(item, rows):
    """What the labeler should give, on boxes from large to small."""
    want = np.zeros(item.size, np.uint8)
    boxes = pixel_boxes(item.boxes, item.size).tolist()
    for (x1, y1, x2, y2), label in sorted(
        zip(boxes, item.labels.tolist(), strict=True),
        key=lambda pair: (
            -((pair[0][2] - pair[0][0]) * (pair[0][3] - pair[0][1]))
        ),
    ):
        want[y1 : min(y2, y1 + rows), x1:x2] = label
    return want


def test_a_config_names_a_labeler_of_a_custom_import(
    module, scenes, monkeypatch
):
    monkeypatch.syspath_prepend(module)
    import_modules_from_strings(['top_rows_labeler'])
    labeler = dict(type='TopRows', rows=2)
    cfg = dict(type='GeneratePseudoLabels', labeler=labeler)
    item = next(VOCXML(scenes, SCENE_CLASSES).read(['val_0000']))
    results = TRANSFORMS.build(cfg)(
        dict(
            img=np.zeros((*item.size, 3), np.uint8),
            boxes=item.boxes,
            box_labels=item.labels,
            seg_fields=[],
        )
    )
    assert np.array_equal(results['gt_seg_map'], _top_rows(item, 2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ('engine', 'workers'), [('local', 1), ('local', 2), ('ray', 2)]
)
def test_the_tool_runs_a_labeler_of_a_custom_import(
    module, scenes, engine, workers
):
    """In a folder that is not on the path, with workers that import it."""
    if engine == 'ray':
        pytest.importorskip('ray', reason="needs the extra 'ray'")
    (module / 'classes.txt').write_text('\n'.join(SCENE_CLASSES))
    split = scenes / 'ImageSets/Segmentation/val.txt'
    command = [
        *(sys.executable, ROOT / 'tools/generate_pseudo_labels.py', scenes),
        *('--custom-import', 'top_rows_labeler', '--method', 'top_rows'),
        *('--rows', 3, '--split', split, '--classes', 'classes.txt'),
        *('--out', 'out', '--workers', workers, '--engine', engine),
    ]
    done = subprocess.run(
        [*map(str, command)],
        cwd=module,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert '4 images' in done.stdout
    items = VOCXML(scenes, SCENE_CLASSES).read(split.read_text().split())
    for item in items:
        got = np.array(Image.open(module / f'out/{item.image_id}.png'))
        assert np.array_equal(got, _top_rows(item, 3))
        assert got.any()


class _FromFile(PseudoLabeler):
    """Labels all boxes at once with the number that a file holds."""

    default_workers = 1

    def __init__(self, folder):
        self.folder = str(folder)

    @property
    def provenance(self):
        return {'taught by': 'nobody'}

    def side_files(self, image_id):
        return (Path(self.folder, f'{image_id}.txt'),)

    def segment_boxes(self, image, boxes, labels, image_id):
        (path,) = self.side_files(image_id)
        value = int(path.read_text())
        return [
            Segment(np.full((y2 - y1, x2 - x1), value, np.uint8))
            for x1, y1, x2, y2 in boxes
        ]


def test_labels_follow_their_side_files(scenes, tmp_path):
    side, out = tmp_path / 'side', tmp_path / 'out'
    side.mkdir()
    ids = [f'train_000{i}' for i in range(3)]
    for name in ids[:2]:
        (side / f'{name}.txt').write_text('1')

    def run():
        items = VOCXML(scenes, SCENE_CLASSES).read(ids)
        return generate_pseudo_labels(items, _FromFile(side), out, None)

    summary = run()
    (error,) = summary.errors
    assert error == f'{side}/{ids[2]}.txt: No such file or directory'
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['taught by'] == 'nobody'
    filled = np.array(Image.open(out / f'{ids[0]}.png'))
    assert filled.any()

    (side / f'{ids[0]}.txt').write_text('0')
    (side / f'{ids[2]}.txt').write_text('255')
    summary = run()
    assert (summary.num_images, summary.num_kept) == (3, 1)
    assert not np.array(Image.open(out / f'{ids[0]}.png')).any()
    ignored = np.array(Image.open(out / f'{ids[2]}.png'))
    assert set(np.unique(ignored)) == {0, 255}
