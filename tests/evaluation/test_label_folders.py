import numpy as np
import pytest

from box2seg_mmseg.evaluation import evaluate_label_folders
from box2seg_mmseg.pseudo_labels import write_label_png

CLASSES = ('background', 'cat', 'dog')


def _write(folder, **maps):
    folder.mkdir(exist_ok=True)
    for name, label_map in maps.items():
        write_label_png(folder / f'{name}.png', np.array(label_map, np.uint8))
    return folder


def test_areas_are_summed_over_images_before_they_are_divided(tmp_path):
    labels = _write(tmp_path / 'a', x=[[0, 1, 1, 1]], y=[[1, 0, 255, 0]])
    masks = _write(tmp_path / 'b', x=[[0, 0, 1, 255]], y=[[1, 1, 0, 0]])
    report = evaluate_label_folders(labels, masks, ['x', 'y'], CLASSES)
    # background: 1 + 1 of 2 + 2; cat: 1 + 1 of 2 + 2; seven labelled pixels.
    assert report['IoU'] == dict(background=50.0, cat=50.0, dog=None)
    assert report['mIoU'] == 50.0 and report['images'] == 2
    assert report['coverage'] == pytest.approx(100 * 6 / 7)


def test_bad_maps_are_named(tmp_path):
    masks = _write(tmp_path / 'b', x=[[0, 0]], y=[[0, 7]])
    with pytest.raises(FileNotFoundError, match='none'):
        evaluate_label_folders(masks, masks, ['none'], CLASSES)
    with pytest.raises(ValueError, match=r'y\.png: labels must be.*Got: 7'):
        evaluate_label_folders(masks, masks, ['y'], CLASSES)
    labels = _write(tmp_path / 'c', x=[[255, 255]])
    with pytest.raises(ValueError, match='no pixel has a label in label map'):
        evaluate_label_folders(labels, masks, ['x'], CLASSES)
    (tmp_path / 'c/x.png').write_bytes(b'cut')
    with pytest.raises(ValueError, match=r'x\.png: not a whole PNG'):
        evaluate_label_folders(labels, masks, ['x'], CLASSES)
    labels = _write(tmp_path / 'a', x=[[0, 0, 0]])
    with pytest.raises(ValueError, match='x: label map and mask differ'):
        evaluate_label_folders(labels, masks, ['x'], CLASSES)
