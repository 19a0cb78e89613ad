import cv2
import numpy as np
import pytest
from mmseg.datasets import PascalVOCDataset
from PIL import Image

from box2seg_mmseg.boxes import VOC_CLASSES, BoxAnnotations, iter_voc_xml
from box2seg_mmseg.datasets.rendered_scenes import SCENE_CLASSES
from box2seg_mmseg.pseudo_labels import (
    build_labeler,
    generate_pseudo_labels,
    write_label_png,
)


def test_classes_and_palette_are_mmsegs(tmp_path):
    assert PascalVOCDataset.METAINFO['classes'][1:] == VOC_CLASSES
    write_label_png(tmp_path / 'a.png', np.zeros((2, 2), np.uint8))
    palette = Image.open(tmp_path / 'a.png').getpalette()
    assert (
        np.reshape(palette, (-1, 3))[:21].tolist()
        == PascalVOCDataset.METAINFO['palette']
    )


def test_a_png_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / 'a.png'
    write_label_png(path, np.full((3, 4), 7, np.uint8))

    def fail(*_, **__):
        raise OSError('disk full')

    monkeypatch.setattr(Image.Image, 'save', fail)
    with pytest.raises(OSError, match='disk full'):
        write_label_png(path, np.zeros((3, 4), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ['a.png']
    assert (np.array(Image.open(path)) == 7).all()
    with pytest.raises(ValueError, match='label_map must be uint8'):
        write_label_png(path, np.zeros((3, 4)))


@pytest.mark.parametrize('workers', [1, 2])
def test_a_split_gives_what_the_labeler_gives(scenes, tmp_path, workers):
    ids = [f'train_{i:04d}' for i in range(6)]
    labeler = build_labeler(dict(type='GrabCut'))
    annotations = list(iter_voc_xml(scenes, ids, SCENE_CLASSES))
    summary = generate_pseudo_labels(annotations, labeler, tmp_path, workers)
    assert summary.num_images == 6 and not summary.errors
    assert summary.num_boxes == sum(len(a.boxes) for a in annotations)
    assert sorted(p.stem for p in tmp_path.iterdir()) == ids
    for item in annotations:
        image = cv2.imread(item.image_path)
        stored = np.array(Image.open(tmp_path / f'{item.image_id}.png'))
        assert np.array_equal(stored, labeler(image, item.boxes, item.labels))


def test_what_fails_is_told_and_the_rest_goes_on(scenes, tmp_path):
    good = next(iter_voc_xml(scenes, ['train_0000'], SCENE_CLASSES))
    missing = BoxAnnotations(
        'gone', str(tmp_path / 'gone.jpg'), (9, 9), [], []
    )
    larger = BoxAnnotations('larger', good.image_path, (99, 64), [], [])
    whole = BoxAnnotations(
        'whole', good.image_path, (64, 64), [[0, 0, 64, 64]], [1]
    )
    summary = generate_pseudo_labels(
        [missing, larger, whole, good],
        build_labeler(dict(type='GrabCut')),
        tmp_path / 'out',
    )
    assert summary.num_images == 2
    assert summary.fallbacks == {'covers the whole image': 1}
    first, second = summary.errors
    assert 'gone.jpg: missing or not an image' in first
    assert '64 x 64 px, its annotation says 64 x 99' in second
    names = sorted(p.name for p in (tmp_path / 'out').iterdir())
    assert names == ['train_0000.png', 'whole.png']
