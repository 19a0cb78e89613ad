"""Label maps as files, and their areas, against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from box2seg_mmseg.evaluation.label_areas import LabelAreas
from box2seg_mmseg.id_lists import read_lines, sample_split
from box2seg_mmseg.label_maps import IGNORE, read_label_png, write_label_png

_sizes = st.tuples(st.integers(1, 12), st.integers(1, 12))
_maps = arrays.arrays(np.uint8, _sizes)


@given(label_map=_maps, num_classes=st.integers(1, 255))
def test_what_is_written_is_read(tmp_path_factory, label_map, num_classes):
    path = tmp_path_factory.getbasetemp() / 'labels/a.png'
    data = write_label_png(path, label_map)
    assert path.read_bytes() == data
    assert [p.name for p in path.parent.iterdir()] == ['a.png']
    with Image.open(path) as image:
        assert image.mode == 'P'
        assert np.array_equal(np.array(image), label_map)
        colors = np.array(image.convert('RGB'))
    labels = label_map.astype(int)
    for channel in range(3):
        bits = [(labels >> (3 * i + channel) & 1) << 7 - i for i in range(8)]
        assert np.array_equal(colors[..., channel], sum(bits))
    if all(v < num_classes or v == IGNORE for v in label_map.flat):
        got = read_label_png(path, num_classes)
        assert got.dtype == np.uint8 and np.array_equal(got, label_map)
    else:
        with pytest.raises(ValueError, match=r'a\.png: labels must be below'):
            read_label_png(path, num_classes)


@st.composite
def _pairs(draw):
    num_classes = draw(st.integers(2, 4))
    values = st.sampled_from([*range(num_classes), IGNORE])
    pairs = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
        one = arrays.arrays(np.uint8, size, elements=values)
        pairs.append((draw(one), draw(one)))
    return num_classes, pairs


@given(_pairs())
def test_areas_are_counted_pixel_by_pixel(sample):
    num_classes, pairs = sample
    areas = LabelAreas.nothing(num_classes)
    for label_map, mask in pairs:
        areas += LabelAreas.of(label_map, mask, num_classes)
    pixels = [
        (int(truth), int(label))
        for label_map, mask in pairs
        for label, truth in zip(label_map.flat, mask.flat, strict=True)
        if truth != IGNORE
    ]
    kept = [pair for pair in pixels if pair[1] != IGNORE]
    for cell in itertools.product(range(num_classes), repeat=2):
        assert areas.confusion[cell] == kept.count(cell)
    classes = [str(i) for i in range(num_classes)]
    if not kept:
        with pytest.raises(ValueError, match='no pixel has a label'):
            areas.report(classes)
        return
    report = areas.report(classes)
    assert report['images'] == len(pairs)
    assert report['coverage'] == pytest.approx(100 * len(kept) / len(pixels))
    iou = _iou(kept, range(num_classes))
    assert report['mIoU'] == pytest.approx(np.mean([*iou.values()]))
    for i, name in enumerate(classes):
        assert report['IoU'][name] == (
            pytest.approx(iou[i]) if i in iou else None
        )
    one = [(min(truth, 1), min(label, 1)) for truth, label in kept]
    agnostic = np.mean([*_iou(one, range(2)).values()])
    assert report['class-agnostic mIoU'] == pytest.approx(agnostic)
    wrong = dict(confused=[], missed=[], added=[])
    for i in range(1, num_classes):
        total = sum(truth == i for truth, _ in kept)
        if total:
            for name, count in (
                ('confused', sum(t == i and p not in (0, i) for t, p in kept)),
                ('missed', kept.count((i, 0))),
                ('added', kept.count((0, i))),
            ):
                wrong[name].append(100 * count / total)
    for name, shares in wrong.items():
        want = pytest.approx(np.mean(shares)) if shares else None
        assert report[name] == want


def _iou(pixels, classes):
    """In percent, of the classes that occur."""
    result = {}
    for i in classes:
        either = [pair for pair in pixels if i in pair]
        if either:
            both = either.count((i, i))
            result[i] = 100 * both / len(either)
    return result


@given(
    st.integers(1, 40), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99)
)
def test_samples_of_a_split_are_nested(count, share, other, seed):
    names = [str(i) for i in range(count)]
    small, large = sorted((share, other))
    first, second = (sample_split(names, s, seed) for s in (small, large))
    assert set(first) <= set(second)
    for one, s in ((first, small), (second, large)):
        assert len(one) == max(round(s * count), 1)
        assert one == sorted(set(one), key=int)


_name = st.text(
    st.characters(codec='utf-8', exclude_categories=['C', 'Z']), min_size=1
)


@given(names=st.lists(_name, max_size=5), end=st.sampled_from(['\n', '\r\n']))
def test_names_of_a_list_are_read(tmp_path_factory, names, end):
    path = tmp_path_factory.getbasetemp() / 'list.txt'
    text = f'{end}  {end}'.join(f' {name}\t' for name in names)
    path.write_bytes(text.encode('utf-8-sig'))
    assert read_lines(path) == names
