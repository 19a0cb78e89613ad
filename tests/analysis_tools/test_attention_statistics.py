import numpy as np
import pytest
from attention_statistics import (
    CASES,
    attention_statistics,
)

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.label_maps import read_label_png, write_label_png

H, W, CLASSES = 10, 12, 4
BOXES = np.array([(0, 0, 6, 6), (4, 2, 12, 9), (8, 0, 12, 10)])
LABELS = np.array([1, 3, 3])


@pytest.fixture
def folders(tmp_path):
    """A random pseudo label and mask of two images, some pixels ignored."""
    rng = np.random.default_rng(0)
    for name in ('labels', 'masks'):
        for image in 'ab':
            drawn = rng.choice([0, 1, 3, 255], (H, W), p=[0.4, 0.3, 0.2, 0.1])
            write_label_png(
                tmp_path / name / f'{image}.png', drawn.astype(np.uint8)
            )
    return tmp_path / 'labels', tmp_path / 'masks'


def _maps(channels, seed):
    rng = np.random.default_rng(seed)
    maps = {f'{i}.jpg': rng.random((channels, H, W)) for i in 'ab'}
    return maps.__getitem__


def _annotations():
    return [BoxAnnotations(i, f'{i}.jpg', (H, W), BOXES, LABELS) for i in 'ab']


@pytest.mark.parametrize('one_class', [False, True])
def test_cases_are_those_counted_pixel_by_pixel(folders, one_class):
    num_foreground = 1 if one_class else CLASSES - 1
    probability = _maps(num_foreground + 1, 1)
    attention = _maps(num_foreground, 2)
    found = {case: [] for case in CASES}
    for image in 'ab':
        label, mask = (
            read_label_png(d / f'{image}.png', CLASSES) for d in folders
        )
        for y in range(H):
            for x in range(W):
                if 255 in (label[y, x], mask[y, x]):
                    continue
                covering = {
                    1 if one_class else int(c)
                    for (x1, y1, x2, y2), c in zip(BOXES, LABELS, strict=True)
                    if x1 <= x < x2 and y1 <= y < y2
                }
                for c in covering:
                    labelled, is_object = (
                        bool(v) if one_class else v == c
                        for v in (label[y, x], mask[y, x])
                    )
                    found[labelled, is_object].append(
                        (
                            attention(f'{image}.jpg')[c - 1, y, x],
                            probability(f'{image}.jpg')[c, y, x],
                        )
                    )
    total = sum(map(len, found.values()))
    got = attention_statistics(
        _annotations(), probability, attention, *folders, CLASSES, one_class
    )
    assert [one.case for one in got] == list(CASES.values())
    for one, pixels in zip(got, found.values(), strict=True):
        assert one.share == pytest.approx(len(pixels) / total)
        assert (one.attention, one.probability) == pytest.approx(
            tuple(np.mean(pixels, 0))
        )


def test_a_model_of_other_classes_is_named(folders):
    with pytest.raises(ValueError, match=r'a: .*\(4, 10, 12\).*\(2, 10, 12\)'):
        attention_statistics(
            _annotations(), _maps(2, 0), None, *folders, CLASSES
        )
