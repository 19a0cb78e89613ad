"""The box map against the boxes themselves, through stock transforms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmcv.transforms import Pad
from mmseg.datasets.transforms import (
    RandomCrop,
    RandomFlip,
    RandomRotate,
    Resize,
)

from box2seg_mmseg.datasets import LoadBoxes, PackBox2SegInputs, PadMaps
from box2seg_mmseg.structures import BoxRegions

HEIGHT, WIDTH, CLASSES = 24, 32, 5


@st.composite
def boxes_and_labels(draw):
    boxes, labels = [], []
    for _ in range(draw(st.integers(0, 5))):
        x1 = draw(st.integers(0, WIDTH - 1))
        y1 = draw(st.integers(0, HEIGHT - 1))
        boxes.append(
            (
                x1,
                y1,
                draw(st.integers(x1 + 1, WIDTH)),
                draw(st.integers(y1 + 1, HEIGHT)),
            )
        )
        labels.append(draw(st.integers(1, CLASSES - 1)))
    return np.array(boxes).reshape(-1, 4), np.array(labels, np.int64)


def multi_hot(boxes, labels, size=(HEIGHT, WIDTH)):
    """B by brute force, background first: ``(L + 1, H, W)`` bool."""
    result = np.zeros((CLASSES, *size), bool)
    for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
        result[label, max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = True
    result[0] = ~result.any(0)
    return result


def load(boxes, labels, **options):
    return LoadBoxes(**options).transform(
        dict(
            img_path='a.jpg',
            img=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
            img_shape=(HEIGHT, WIDTH),
            annotated_size=(HEIGHT, WIDTH),
            boxes=boxes,
            box_labels=labels,
            seg_fields=[],
        )
    )


def covered_by(regions):
    """The pixels of each box, ``(K, H, W)`` bool."""
    return regions.columns[:, regions.map.long()]


def look_up(results):
    """B from map and table; padding is in no class."""
    regions = results['box_regions'].with_map(results['gt_box_map'])
    covered = covered_by(regions).numpy()
    mask = np.zeros((CLASSES, *covered.shape[1:]), bool)
    for label, inside in zip(regions.labels.tolist(), covered, strict=True):
        mask[label] |= inside
    mask[0] = results['gt_box_map'] == 0
    return mask


@given(boxes_and_labels())
def test_map_and_table_are_the_boxes(sample):
    boxes, labels = sample
    results = load(boxes, labels)
    assert results['gt_box_map'].dtype == np.uint8
    assert results['seg_fields'] == ['gt_box_map']
    assert np.array_equal(look_up(results), multi_hot(boxes, labels))
    regions = results['box_regions']
    covered = covered_by(regions).numpy()
    assert covered.shape == (len(boxes), HEIGHT, WIDTH)
    for k in range(len(boxes)):
        # Alone in its class, so that B is this box.
        alone = multi_hot(boxes[k : k + 1], labels[k : k + 1])
        assert np.array_equal(covered[k], alone[labels[k]])
    rows = [tuple(row) for row in regions.table.tolist()]
    assert len(set(rows)) == len(rows)
    used = np.unique(results['gt_box_map'])
    assert set(used) | {0} == set(range(len(rows)))


@given(boxes_and_labels())
def test_the_packed_sample_has_the_boxes(sample):
    boxes, labels = sample
    results = load(boxes, labels) | dict(num_classes=CLASSES)
    results = RandomFlip(prob=1.0, direction='horizontal')(results)
    packed = PackBox2SegInputs()(results)['data_samples']
    assert packed.num_classes == CLASSES
    regions = packed.gt_box_regions
    assert regions.labels.tolist() == labels.tolist()
    want = multi_hot(boxes, labels)[:, :, ::-1]
    for label in range(1, CLASSES):
        inside = covered_by(regions)[regions.labels == label].any(0)
        assert np.array_equal(inside.numpy(), want[label])


def test_a_pipeline_without_boxes_is_told():
    with pytest.raises(ValueError, match=r"a\.jpg: no box map.*'LoadBoxes'"):
        PackBox2SegInputs()(dict(img_path='a.jpg'))


@given(boxes_and_labels(), st.sampled_from(['horizontal', 'vertical']))
def test_flip(sample, direction):
    boxes, labels = sample
    results = RandomFlip(prob=1.0, direction=direction)(load(boxes, labels))
    x1, y1, x2, y2 = boxes.T
    if direction == 'horizontal':
        flipped = np.stack([WIDTH - x2, y1, WIDTH - x1, y2], 1)
    else:
        flipped = np.stack([x1, HEIGHT - y2, x2, HEIGHT - y1], 1)
    assert np.array_equal(look_up(results), multi_hot(flipped, labels))


@given(boxes_and_labels(), st.integers(1, 40), st.integers(1, 40), st.data())
def test_crop(sample, height, width, data):
    boxes, labels = sample
    crop = RandomCrop(crop_size=(height, width))
    top = data.draw(st.integers(0, max(HEIGHT - height, 0)))
    left = data.draw(st.integers(0, max(WIDTH - width, 0)))
    crop.crop_bbox = lambda _: (top, top + height, left, left + width)
    results = crop(load(boxes, labels))
    size = min(height, HEIGHT - top), min(width, WIDTH - left)
    moved = boxes - (left, top, left, top)
    assert np.array_equal(look_up(results), multi_hot(moved, labels, size))


@given(boxes_and_labels(), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_pad(sample, more_height, more_width, then_flip):
    boxes, labels = sample
    size = (HEIGHT + more_height, WIDTH + more_width)
    results = PadMaps(size=size[::-1])(load(boxes, labels))
    want = multi_hot(boxes, labels, size)
    want[:, HEIGHT:] = want[:, :, WIDTH:] = False
    if then_flip:
        results = RandomFlip(prob=1.0, direction='horizontal')(results)
        want = want[:, :, ::-1]
    assert results['img'].shape[:2] == size
    assert np.array_equal(look_up(results), want)


def test_a_transform_that_skips_the_map_is_told():
    results = load(np.array([[4, 4, 20, 20]]), np.array([2]))
    results = Pad(size=(40, 40))(results)
    with pytest.raises(ValueError, match=r'PadMaps.*Got: \(24, 32\)'):
        PackBox2SegInputs()(results)


def test_an_image_of_another_size_than_annotated_is_named():
    results = dict(
        img_path='a.jpg',
        img_shape=(8, 9, 3),
        annotated_size=(8, 8),
        boxes=np.zeros((0, 4)),
        box_labels=np.zeros(0, np.int64),
        seg_fields=[],
    )
    with pytest.raises(ValueError, match=r'a\.jpg.*9 x 8 px.*says 8 x 8'):
        LoadBoxes(num_classes=2).transform(results)


@given(boxes_and_labels(), st.integers(8, 80), st.integers(8, 80))
def test_resize_moves_an_edge_by_less_than_a_pixel(sample, height, width):
    boxes, labels = sample
    results = Resize(scale=(width, height), keep_ratio=False)(
        load(boxes, labels)
    )
    got = look_up(results)
    assert got.shape[1:] == (height, width)
    scale = np.array([width / WIDTH, height / HEIGHT] * 2)
    for label in range(1, CLASSES):
        own = boxes[labels == label] * scale
        centers = np.mgrid[:height, :width].transpose(1, 2, 0) + 0.5
        sure = np.zeros((height, width), bool)
        possible = np.zeros((height, width), bool)
        for x1, y1, x2, y2 in own:
            y, x = centers[..., 0], centers[..., 1]

            def within(margin, x=x, y=y, box=(x1, y1, x2, y2)):
                return (
                    (box[0] - margin <= x)
                    & (x <= box[2] + margin)
                    & (box[1] - margin <= y)
                    & (y <= box[3] + margin)
                )

            sure |= within(-1)
            possible |= within(1)
        assert not (sure & ~got[label]).any()
        assert not (got[label] & ~possible).any()


def test_rotation_pads_with_no_class():
    boxes, labels = np.array([[4, 4, 20, 20]]), np.array([2])
    rotate = RandomRotate(prob=1.0, degree=(45, 45), seg_pad_val=255)
    results = rotate(load(boxes, labels))
    assert results['gt_box_map'][0, 0] == 255
    assert not look_up(results)[:, 0, 0].any()
    assert look_up(results)[2, 12, 12]


# Boxes that begin one pixel after the other: so many regions.
MANY = np.array([(x, y, 32, 24) for y in range(0, 22, 2) for x in range(30)])


def test_a_crowd_counts_class_by_class_and_is_named():
    labels = np.arange(len(MANY)) % 2 * 2 + 1
    with pytest.warns(UserWarning, match=r'a\.jpg: 330 boxes make 330 reg'):
        results = load(MANY, labels)
    assert np.array_equal(look_up(results), multi_hot(MANY, labels))
    regions = results['box_regions']
    assert regions.labels.tolist() == [1, 3]
    want = multi_hot(MANY, labels)[[1, 3]]
    assert np.array_equal(covered_by(regions).numpy(), want)


def test_too_many_regions_and_wrong_labels_are_named():
    with (
        pytest.warns(UserWarning),
        pytest.raises(ValueError, match=r'a\.jpg: 330 boxes make 330 regions'),
    ):
        load(MANY, np.arange(1, 331))
    with pytest.raises(
        ValueError, match=r'a\.jpg: box labels must be in 1\.\.4. Got: 5'
    ):
        load(np.array([[0, 0, 4, 4]]), np.array([5]), num_classes=5)


def test_regions_that_are_painted_over_take_no_id():
    boxes = np.array([(0, 0, 8, 8)] * 300)
    regions = BoxRegions.from_boxes(boxes, np.arange(1, 301), (8, 8))
    assert (regions.map == 1).all()
    assert regions.table.shape == (2, 300) and regions.table[1].all()
