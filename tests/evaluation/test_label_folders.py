import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mmseg.evaluation import IoUMetric

from box2seg_mmseg.evaluation import LabelAreas, evaluate_label_folders
from box2seg_mmseg.label_maps import write_label_png

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


def test_errors_are_told_apart_by_what_was_labelled_instead(tmp_path):
    labels = _write(tmp_path / 'a', x=[[0, 1, 0, 2, 0, 0, 0, 0, 255, 255]])
    masks = _write(tmp_path / 'b', x=[[1, 1, 1, 1, 2, 2, 0, 0, 0, 255]])
    report = evaluate_label_folders(labels, masks, ['x'], CLASSES)
    # Of cat's four pixels one is dog, two are background; dog's two both are.
    assert report['confused'] == pytest.approx((25 + 0) / 2)
    assert report['missed'] == pytest.approx((50 + 100) / 2)
    assert report['added'] == 0
    # Object: 2 of 6; background: 2 of 6.
    assert report['class-agnostic mIoU'] == pytest.approx(100 / 3)
    merged = evaluate_label_folders(
        labels, masks, ['x'], CLASSES, one_class=True
    )
    third = pytest.approx(100 / 3)
    assert merged['IoU'] == dict(background=third, object=third)
    assert merged['confused'] == 0 and merged['added'] == 0
    assert merged['missed'] == pytest.approx(100 * 4 / 6)
    swapped = evaluate_label_folders(masks, labels, ['x'], CLASSES)
    # Of the one cat of those masks nothing is lost, dog's one pixel is cat;
    # their background holds two pixels called cat, and two called dog.
    assert swapped['confused'] == 50 and swapped['missed'] == 0
    assert swapped['added'] == 200
    nothing = _write(tmp_path / 'c', x=[[0] * 10])
    report = evaluate_label_folders(masks, nothing, ['x'], CLASSES)
    assert report['confused'] is report['missed'] is report['added'] is None


@given(data=st.data())
def test_iou_is_that_of_stock_mmseg(data):
    maps = [
        data.draw(
            arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 255]))
        )
        for _ in range(4)
    ]
    maps[0][0, 0] = maps[1][0, 0] = 1  # something is labelled in both
    areas = LabelAreas.of(*maps[:2], 3) + LabelAreas.of(*maps[2:], 3)
    stock = []
    for label_map, mask in (maps[:2], maps[2:]):
        # IoUMetric leaves out the mask's 255 alone.
        mask = np.where(label_map == 255, 255, mask)
        pred, true = (torch.from_numpy(m).int() for m in (label_map, mask))
        stock.append(IoUMetric.intersect_and_union(pred, true, 3, 255))
    intersection, union, *_ = map(sum, zip(*stock, strict=True))
    expected = 100 * intersection / union
    report = areas.report(CLASSES)
    np.testing.assert_allclose(
        [np.nan if v is None else v for v in report['IoU'].values()],
        expected,
        rtol=1e-5,
    )
    assert report['mIoU'] == pytest.approx(float(expected.nanmean()), rel=1e-5)


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
    with pytest.raises(ValueError, match=r'x\.png: truncated or corrupt PNG'):
        evaluate_label_folders(labels, masks, ['x'], CLASSES)
    labels = _write(tmp_path / 'a', x=[[0, 0, 0]])
    with pytest.raises(ValueError, match='x: label map and mask differ'):
        evaluate_label_folders(labels, masks, ['x'], CLASSES)
