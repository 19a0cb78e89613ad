"""audit_boxes as a user runs it, with networks that were not trained."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.audit import MODES, audit_boxes, box_audit, box_corrector
from box2seg_mmseg.boxes import VOCXML

IDS = [f'train_000{i}' for i in range(6)]


@pytest.fixture
def round_(untrained_round):
    return untrained_round(IDS)


@pytest.fixture
def run(scenes, round_, tmp_path, run_tool_here, monkeypatch):
    """Runs the tool on the images of the round, or on those of a split."""
    monkeypatch.setattr(box_corrector, '_MOST_ITERATIONS', 3)
    classes = tmp_path / 'classes.txt'
    classes.write_text('\n'.join(SCENE_CLASSES))

    def run_tool(ids=IDS, folder=round_):
        split = tmp_path / 'split.txt'
        split.write_text('\n'.join(ids))
        return run_tool_here(
            'audit_boxes.py',
            *(folder, scenes, '--split', split, '--classes', classes),
            *('--out', tmp_path / 'audit'),
        )

    return run_tool


def test_every_box_has_two_scores_and_every_file_says_the_same(
    run, scenes, tmp_path
):
    done = run()
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / 'audit/audit.html') in done.stdout
    content = json.loads((tmp_path / 'audit/audit.json').read_text())
    findings = content['findings']
    images = {i.image_id: i for i in VOCXML(scenes, SCENE_CLASSES).read(IDS)}
    assert list(content['images']) == IDS
    for mode in MODES[1:]:
        found = [one for one in findings if one['mode'] == mode]
        places = sorted((one['image_id'], one['box_index']) for one in found)
        assert places == sorted(
            (name, k)
            for name, image in images.items()
            for k in range(len(image.labels))
        )
        for one in found:
            image = images[one['image_id']]
            label = image.labels[one['box_index']]
            assert one['box'] == image.boxes[one['box_index']].tolist()
            assert one['class'] == SCENE_CLASSES[label - 1]
            assert (one['suggestion'] is None) == (mode == 'merged')
        scores = [one['score'] for one in found]
        assert scores == sorted(scores, reverse=True)
        assert scores[-1] >= 0 and scores[0] <= 1
    # The errors take turns, because their scores cannot be compared.
    places = []
    for i, one in enumerate(findings):
        places.append([f['mode'] for f in findings[:i]].count(one['mode']))
    assert places == sorted(places)

    with (tmp_path / 'audit/findings.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(findings)
    for row, one in zip(rows, findings, strict=True):
        assert row['reason'] == one['reason']
        assert float(row['score']) == one['score']
        assert float(row['x2']) == one['box'][2]
        assert (row['suggested_x1'] == '') == (one['suggestion'] is None)
    with (tmp_path / 'audit/images.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert sorted(row['image_id'] for row in rows) == IDS
    # The image that is first among the findings of a mode comes first.
    firsts = set()
    for mode in MODES:
        own = [one for one in findings if one['mode'] == mode]
        firsts.add(own[0]['image_id'])
    assert {row['image_id'] for row in rows[: len(firsts)]} == firsts
    for row in rows:
        for mode in MODES:
            own = [
                one['score']
                for one in findings
                if (one['image_id'], one['mode']) == (row['image_id'], mode)
            ]
            assert float(row[mode]) == max(own, default=0)


class _Networks:
    """Two networks that see one object, and what they were asked."""

    def __init__(self):
        self.calls = []

    def checkpoint_of(self, image_id):
        return 'even' if image_id in IDS[::2] else 'odd'

    def load(self, checkpoint):
        def features(path, scale):
            self.calls.append((checkpoint, 'features', Path(path).stem))
            return [torch.ones(3, 4, 4)]

        return SimpleNamespace(features=features)

    def predict(self, image, image_id):
        self.calls.append((self.checkpoint_of(image_id), 'predict', image_id))
        probs = np.zeros((2, *image.shape[:2]), np.float32)
        probs[1, 2:12, 3:9] = 0.9
        probs[0] = 1 - probs[1]
        return probs


def test_each_image_is_judged_by_the_network_of_its_fold(scenes, monkeypatch):
    images = [
        replace(one, boxes=[(20, 20, 30, 40)], labels=[1], ids=None, flags={})
        for one in VOCXML(scenes, SCENE_CLASSES).read(IDS)
    ]
    trained = []

    def train(features, *_):
        trained.append({one.annotations.image_id for one in features})
        return SimpleNamespace(
            correct=lambda image: np.add(
                image.annotations.boxes, (0, 0, 10, 0)
            )
        )

    monkeypatch.setattr(box_audit, 'train_corrector', train)
    networks = _Networks()
    findings = audit_boxes(images, networks)
    even, odd = set(IDS[::2]), set(IDS[1::2])
    # A network's corrector learns from the images of the other fold.
    assert trained == [odd, even]
    for name, own in (('even', even), ('odd', odd)):
        asked = [call[1:] for call in networks.calls if call[0] == name]
        assert asked[:3] == [('features', i) for i in _ids(asked[:3])]
        assert set(_ids(asked[:3])) == set(IDS) - own
        assert asked[3:] == [
            (what, i) for i in sorted(own) for what in ('predict', 'features')
        ]
    for mode, box in (('missing', (3, 2, 9, 12)), ('misaligned', None)):
        found = [one for one in findings if one.mode == mode]
        assert sorted(one.image_id for one in found) == IDS
        for one in found:
            assert one.box == (box or (20, 20, 30, 40))
            if mode == 'misaligned':
                assert one.suggestion == (20, 20, 40, 40)
                assert one.score == pytest.approx(0.5)


def _ids(calls):
    return [image_id for _, image_id in calls]


def test_what_a_user_can_get_wrong(run, round_):
    done = run([*IDS, 'train_0006'])
    assert done.returncode == 1
    assert 'train_0006: is in none of the split files' in done.stderr
    done = run(folder=round_.parent)
    assert done.returncode == 2 and 'is not a round' in done.stderr
    (round_ / 'fold0/other.py').touch()
    done = run()
    assert done.returncode == 2
    assert 'fold0: must hold the config of its training' in done.stderr
    (round_ / 'fold0/other.py').unlink()
    (round_ / 'fold1/finished.json').unlink()
    done = run()
    assert done.returncode == 2
    assert 'fold1/finished.json: no such file; finish' in done.stderr
