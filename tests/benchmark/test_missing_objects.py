import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from missing_objects import remove_objects, write_masks_with_missing_objects

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.label_maps import read_label_png, write_label_png

SIZE = (12, 16)


def _annotations(boxes, labels, image_id='some'):
    return BoxAnnotations(image_id, 'some.jpg', SIZE, boxes, labels)


@st.composite
def _images(draw):
    boxes = []
    for _ in range(draw(st.integers(0, 5))):
        x, y = draw(st.integers(0, 15)), draw(st.integers(0, 11))
        w, h = draw(st.integers(1, 16)), draw(st.integers(1, 12))
        boxes.append((x, y, min(x + w, 16), min(y + h, 12)))
    labels = [draw(st.integers(1, 2)) for _ in boxes]
    missing = [draw(st.booleans()) for _ in boxes]
    seed = draw(st.integers(0, 99))
    mask = np.random.default_rng(seed).choice(
        np.array([0, 1, 2, 255], np.uint8), SIZE
    )
    return mask, boxes, labels, missing


@given(_images())
def test_pixels_go_by_brute_force(image):
    mask, boxes, labels, missing = image
    got = remove_objects(
        mask, _annotations(boxes, labels), np.array(missing, bool)
    )
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            states = {
                gone
                for (x1, y1, x2, y2), label, gone in zip(
                    boxes, labels, missing, strict=True
                )
                if label == mask[y, x] and x1 <= x < x2 and y1 <= y < y2
            }
            want = 0 if states == {True} else mask[y, x]
            assert got[y, x] == want


def test_the_share_goes_and_the_boxes_stay(tmp_path):
    mask = np.zeros(SIZE, np.uint8)
    mask[2:5, 2:5], mask[7:10, 8:12] = 1, 2
    items = []
    for i in range(20):
        write_label_png(tmp_path / f'masks/{i}.png', mask)
        items.append(
            _annotations([(2, 2, 5, 5), (8, 7, 12, 10)], [1, 2], str(i))
        )
    out = tmp_path / 'out'
    assert (
        write_masks_with_missing_objects(items, tmp_path / 'masks', out) == 4
    )
    objects = 0
    for i in range(20):
        found = read_label_png(out / f'{i}.png', 21)
        for label in (1, 2):
            assert ((found == label) == (mask == label)).all() or not (
                found == label
            ).any()
            objects += (found == label).any()
    assert objects == 36
