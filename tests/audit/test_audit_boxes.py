"""audit_boxes as a user runs it, with networks that were not trained."""

import csv
import json

import pytest
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.audit import MODES, audit_boxes, box_corrector
from box2seg_mmseg.boxes import VOCXML

IDS = [f'train_000{i}' for i in range(6)]


@pytest.fixture
def round_(untrained_round):
    return untrained_round(IDS)


@pytest.fixture
def run(scenes, round_, tmp_path, run_tool_here, monkeypatch):
    """Runs the tool on the images of the round, or on those of a split."""
    monkeypatch.setattr(box_corrector, '_ITERATIONS', 3)
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
    scores = [one['score'] for one in findings]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] >= 0 and scores[0] <= 1

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
    for row in rows:
        for mode in MODES:
            own = [
                one['score']
                for one in findings
                if (one['image_id'], one['mode']) == (row['image_id'], mode)
            ]
            assert float(row[mode]) == max(own, default=0)


def test_each_image_is_judged_by_the_network_of_its_fold(
    scenes, round_, monkeypatch
):
    from box2seg_mmseg.apis.cross_fitted import CrossFittedNetworks
    from box2seg_mmseg.apis.training_rounds import networks_of_round
    from box2seg_mmseg.audit import box_audit

    trained = []
    monkeypatch.setattr(
        box_audit,
        'train_corrector',
        lambda images, *_: trained.append(
            {one.annotations.image_id for one in images}
        ),
    )
    images = list(VOCXML(scenes, SCENE_CLASSES).read(IDS))
    networks = CrossFittedNetworks(*networks_of_round(round_))
    audit_boxes(images, networks)
    # On the other fold; the networks of the folds take turns.
    assert trained == [set(IDS[1::2]), set(IDS[::2])]


def test_what_a_user_can_get_wrong(run, round_):
    done = run([*IDS, 'train_0006'])
    assert done.returncode == 1
    assert 'train_0006: is in none of the split files' in done.stderr
    done = run(folder=round_.parent)
    assert done.returncode == 2 and 'is not a round' in done.stderr
    (round_ / 'fold1/finished.json').unlink()
    done = run()
    assert done.returncode == 2
    assert 'fold1/finished.json: no such file; finish' in done.stderr
