import json

import numpy as np
import pytest

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.label_maps import write_label_png
from box2seg_mmseg.pseudo_labels import (
    StoreError,
    build_labeler,
    check_label_folder,
    generate_pseudo_labels,
    verify_pseudo_labels,
)

CLASSES = ['cat', 'dog']


@pytest.fixture
def folder(tmp_path):
    """Labels of a, x/b and c; the photograph of c is missing."""
    image = np.zeros((8, 8), np.uint8)
    write_label_png(tmp_path / 'image.png', image)
    annotations = [
        BoxAnnotations(
            name, str(tmp_path / source), (8, 8), [[1, 1, 5, 5]], [2]
        )
        for name, source in (
            ('a', 'image.png'),
            ('x/b', 'image.png'),
            ('c', 'c.jpg'),
        )
    ]

    def make(classes=CLASSES, **options):
        return generate_pseudo_labels(
            annotations,
            build_labeler(dict(type='BoxFill')),
            tmp_path / 'labels',
            classes=classes,
            **options,
        )

    make()
    make.path = tmp_path / 'labels'
    return make


def test_images_without_a_good_label_are_named_with_the_reason(folder):
    path = folder.path
    assert check_label_folder(path, ['a', 'x/b'], CLASSES) == {}
    (path / 'a.png').unlink()
    altered = path / 'x/b.png'
    altered.write_bytes(altered.read_bytes()[:-1])
    write_label_png(path / 'mine.png', np.zeros((8, 8), np.uint8))
    ids = ['a', 'x/b', 'c', 'mine', 'none']
    reasons = check_label_folder(path, ids, tuple(CLASSES))
    assert list(reasons) == ids
    for image_id, message in (
        ('a', 'a.png: missing; run'),
        ('x/b', 'b.png: altered or truncated'),
        ('c', 'c.jpg: missing; add it'),
        ('mine', 'mine.png: has no record'),
        ('none', 'none.png: missing'),
    ):
        assert message in reasons[image_id]
    assert sorted(verify_pseudo_labels(path)) == sorted(
        reasons[name] for name in ids[:-1]
    )
    assert list(verify_pseudo_labels(path, skip=['a', 'c', 'mine'])) == [
        reasons['x/b']
    ]
    folder()
    assert list(check_label_folder(path, ids, CLASSES)) == [
        'c',
        'mine',
        'none',
    ]


def test_a_label_of_an_unfinished_run_is_good(folder):
    records = folder.path / 'records.jsonl'
    records.rename(folder.path / 'records.part.jsonl')
    assert check_label_folder(folder.path, ['a', 'x/b'], CLASSES) == {}


@pytest.mark.parametrize(
    ('classes', 'difference'),
    [
        (['cat', 'cow'], "class 2 was 'dog' and is now 'cow'"),
        (['dog', 'cat'], "class 1 was 'cat' and is now 'dog'"),
        (['cat', 'dog', 'cow'], "class 3 was absent and is now 'cow'"),
        (['cat'], "class 2 was 'dog' and is now absent"),
    ],
)
def test_other_classes_are_refused(folder, classes, difference):
    with pytest.raises(StoreError, match=f'manifest.json: .*{difference}; us'):
        check_label_folder(folder.path, ['a'], classes)
    before = (folder.path / 'manifest.json').read_text()
    with pytest.raises(StoreError, match=f'{difference}; choose another'):
        folder(classes)
    assert (folder.path / 'manifest.json').read_text() == before
    assert folder(classes, overwrite=True).num_kept == 0
    assert check_label_folder(folder.path, ['a'], classes) == {}


def test_a_manifest_without_classes_gives_a_warning(folder):
    path = folder.path / 'manifest.json'
    manifest = json.loads(path.read_text())
    assert manifest.pop('classes') == CLASSES
    path.write_text(json.dumps(manifest))
    with pytest.warns(UserWarning, match='does not name the classes'):
        assert check_label_folder(folder.path, ['a'], ['cow']) == {}
    with pytest.raises(StoreError, match='the earlier run does not name its'):
        folder()
    assert folder(None).num_kept == 2
    folder(overwrite=True)
    with pytest.raises(StoreError, match='this run does not name its class'):
        folder(None)


def test_masks_drawn_by_hand_only_have_to_exist(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'not looked at')
    assert check_label_folder(tmp_path, ['a', 'b'], CLASSES) == {
        'b': f'{tmp_path / "b.png"}: missing'
    }
    with pytest.raises(StoreError, match=r'absent: no such folder; make the'):
        check_label_folder(tmp_path / 'absent', ['a'], CLASSES)
