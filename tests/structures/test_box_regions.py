"""The regions of a batch against the boxes, pixel by pixel."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmseg.structures import SegDataSample

from box2seg_mmseg.structures import BatchBoxRegions, BoxPairs, BoxRegions

HEIGHT, WIDTH, CLASSES = 9, 11, 4


@st.composite
def images(draw):
    """Boxes and labels of an image, whose map may be smaller than the batch.

    Some boxes may cover nothing of it, as those outside a crop.
    """
    height = draw(st.integers(1, HEIGHT))
    width = draw(st.integers(1, WIDTH))
    boxes, labels = [], []
    for _ in range(draw(st.integers(0, 4))):
        x1 = draw(st.integers(0, width - 1))
        y1 = draw(st.integers(0, height - 1))
        x2 = draw(st.integers(x1 + 1, width))
        y2 = draw(st.integers(y1 + 1, height))
        boxes.append((x1, y1, x2, y2))
        labels.append(draw(st.integers(1, CLASSES)))
    crop = draw(st.integers(1, height)), draw(st.integers(1, width))
    return np.array(boxes, int).reshape(-1, 4), np.array(labels, int), crop


def brute_force(sample, valid):
    """The pixels of each box, a set of ``(y, x)`` by box."""
    boxes, _, (height, width) = sample
    return [
        {
            (y, x)
            for y in range(y1, min(y2, height))
            for x in range(x1, min(x2, width))
            if valid[y, x]
        }
        for x1, y1, x2, y2 in boxes.tolist()
    ]


def found(pairs):
    """Image, class and pixels of each pair."""
    return [
        (image, label, {tuple(p) for p in inside.nonzero().tolist()})
        for image, label, inside in zip(
            pairs.images.tolist(),
            pairs.classes.tolist(),
            pairs.inside,
            strict=True,
        )
    ]


@given(st.lists(images(), min_size=1, max_size=3), st.integers(0, 2**31))
def test_pairs_of_a_batch_are_the_boxes(samples, seed):
    valid = np.random.default_rng(seed).random(
        (len(samples), HEIGHT, WIDTH)
    ) < (0.8)
    regions = []
    for boxes, labels, (height, width) in samples:
        size = boxes[:, 3].max(initial=height), boxes[:, 2].max(initial=width)
        one = BoxRegions.from_boxes(boxes, labels, size)
        regions.append(one.with_map(one.map.numpy()[:height, :width]))
    batch = BatchBoxRegions(regions, torch.from_numpy(valid))

    by_box, by_class, outside = [], {}, []
    for n, sample in enumerate(samples):
        pixels = brute_force(sample, valid[n])
        for label, inside in zip(sample[1].tolist(), pixels, strict=True):
            if inside:
                by_box.append((n, label, inside))
                by_class.setdefault((n, label), set()).update(inside)
        height, width = sample[2]
        everything = set.union(set(), *pixels)
        outside.append(
            {
                (y, x)
                for y in range(height)
                for x in range(width)
                if valid[n, y, x] and (y, x) not in everything
            }
        )
    assert found(batch.by_box()) == by_box
    want = [(*key, by_class[key]) for key in sorted(by_class)]
    assert found(batch.by_class()) == want
    got = [{tuple(p) for p in one.nonzero().tolist()} for one in batch.outside]
    assert got == outside


def test_means_are_over_pairs_then_images():
    mask = torch.zeros(3, 4, 2, 2, dtype=torch.bool)
    mask[0, 1, 0, 0] = mask[0, 3, 1, 1] = mask[2, 2] = True
    pairs = BoxPairs.from_mask(mask)
    assert found(pairs) == [
        (0, 1, {(0, 0)}),
        (0, 3, {(1, 1)}),
        (2, 2, {(0, 0), (0, 1), (1, 0), (1, 1)}),
    ]
    assert pairs.num_boxed == 2
    mean = pairs.mean_over_images(torch.tensor([1.0, 2.0, 6.0]), 3)
    assert mean.item() == pytest.approx(((1 + 2) / 2 + 6) / 3)


def test_the_boxes_of_a_batch_move_with_the_labels():
    """Data samples leave boxes on the CPU; the batch brings its own."""
    regions = BoxRegions.from_boxes(
        np.array([[0, 0, 2, 2]]), np.array([3]), (4, 4)
    )
    sample = SegDataSample()
    sample.set_data(dict(gt_box_regions=regions))
    assert sample.to('meta').gt_box_regions.map.device.type == 'cpu'
