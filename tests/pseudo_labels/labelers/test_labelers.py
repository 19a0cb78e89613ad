from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered_scenes import draw_scene

from box2seg_mmseg.boxes import AnnotationError
from box2seg_mmseg.pseudo_labels import (
    PseudoLabeler,
    Segment,
    build_labeler,
)

BOX_FILL = dict(type='BoxFill')
GRABCUT = dict(type='GrabCut', iterations=5, seed=0)


def _scene(seed=0, side=64):
    image, mask, boxes, labels = draw_scene(np.random.default_rng(seed), side)
    return image, mask, boxes, labels


def _algorithm_1(image, boxes, labels, seed):
    """The supplement's listing to the letter, with its slips fixed."""
    height, width = image.shape[:2]
    truth = np.zeros((height, width), np.uint8)
    order = sorted(
        range(len(boxes)),
        key=lambda i: (
            (boxes[i][2] - boxes[i][0]) * (boxes[i][3] - boxes[i][1])
        ),
        reverse=True,
    )
    for i in order:
        x, y = int(boxes[i][0]), int(boxes[i][1])
        w, h = int(boxes[i][2]) - x, int(boxes[i][3]) - y
        mask = np.zeros((height, width), np.uint8)
        mask[y : y + h, x : x + w] = 2
        mask[
            y + int(h / 10) : y + int(9 * h / 10),
            x + int(w / 10) : x + int(9 * w / 10),
        ] = 3
        mask[
            y + int(h / 4) : y + int(3 * h / 4),
            x + int(w / 4) : x + int(3 * w / 4),
        ] = 1
        background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(seed)
        cv2.grabCut(
            image,
            mask,
            None,
            background,
            foreground,
            5,
            cv2.GC_INIT_WITH_MASK,
        )
        mask = np.where((mask == 2) | (mask == 0), 0, 1)
        mask[y] = mask[:, x] = 0
        if y + h < height:
            mask[y + h] = 0
        if x + w < width:
            mask[:, x + w] = 0
        truth[mask > 0] = labels[i]
    return truth


@pytest.mark.parametrize('seed', range(6))
def test_grabcut_is_algorithm_1(seed):
    image, _, boxes, labels = _scene(seed)
    got = build_labeler(dict(GRABCUT, seed=seed))(image, boxes, labels)
    assert np.array_equal(got, _algorithm_1(image, boxes, labels, seed))


def test_grabcut_is_nearer_to_the_mask_than_the_boxes():
    wrong = {'GrabCut': 0, 'BoxFill': 0}
    for seed in range(8):
        image, mask, boxes, labels = _scene(seed)
        for name in wrong:
            got = build_labeler(dict(type=name))(image, boxes, labels)
            wrong[name] += (got != mask).sum()
    assert wrong['GrabCut'] < 0.6 * wrong['BoxFill']


@pytest.mark.parametrize('backend', ['numba', 'opencv'])
def test_grabcut_depends_on_neither_thread_nor_order(backend):
    labeler = build_labeler(dict(GRABCUT, backend=backend))
    scenes = [_scene(seed) for seed in range(12)]
    alone = [labeler(im, boxes, labels) for im, _, boxes, labels in scenes]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(
                pool.map(lambda s: labeler(s[0], s[2], s[3]), reversed(scenes))
            )
    finally:
        cv2.setNumThreads(threads)
    for a, b in zip(alone, reversed(together), strict=True):
        assert np.array_equal(a, b)
    assert any(len(scene[2]) > 1 for scene in scenes)


@pytest.mark.parametrize(
    ('box', 'reason'),
    [
        ((5, 5, 6, 30), 'thinner than 3 px'),
        ((5, 5, 30, 7), 'thinner than 3 px'),
        ((0, 0, 64, 64), 'covers the whole image'),
    ],
)
def test_boxes_without_a_cut_are_filled_and_told(box, reason):
    image = _scene()[0]
    result = build_labeler(GRABCUT).label(
        image, np.array([(20, 20, 40, 40), box]), np.array([1, 2])
    )
    assert [s.fallback for s in result.segments] == [None, reason]
    x1, y1, x2, y2 = box
    filled = result.label_map[y1:y2, x1:x2]
    assert (filled > 0).all() and (filled == 2).any()


def test_box_fill_paints_small_over_large_and_keeps_ties_in_order():
    image = np.zeros((6, 6, 3), np.uint8)
    boxes = np.array([(2, 2, 4, 4), (0, 0, 6, 6), (3, 3, 5, 5)])
    got = build_labeler(BOX_FILL)(image, boxes, np.array([1, 2, 3]))
    want = np.full((6, 6), 2)
    want[2:4, 2:4] = 1
    want[3:5, 3:5] = 3
    assert got.dtype == np.uint8 and np.array_equal(got, want)


@settings(max_examples=40)
@given(st.data())
def test_labels_stay_in_their_boxes(data):
    height, width = 12, 16
    image = np.random.default_rng(0).integers(
        0, 256, (height, width, 3), np.uint8
    )
    boxes, labels = [], []
    for _ in range(data.draw(st.integers(0, 3))):
        x1 = data.draw(st.integers(0, width - 1))
        y1 = data.draw(st.integers(0, height - 1))
        boxes.append(
            (
                x1,
                y1,
                data.draw(st.integers(x1 + 1, width)),
                data.draw(st.integers(y1 + 1, height)),
            )
        )
        labels.append(data.draw(st.integers(1, 254)))
    covered = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in boxes:
        covered[y1:y2, x1:x2] = True
    for cfg in (BOX_FILL, GRABCUT):
        got = build_labeler(cfg)(image, np.array(boxes), np.array(labels))
        assert not got[~covered].any()
        assert set(np.unique(got)) <= {0, *labels}
        if cfg is BOX_FILL:
            assert got[covered].all()


def test_bad_arguments_are_named():
    labeler = build_labeler(BOX_FILL)
    image = np.zeros((8, 8, 3), np.uint8)
    box, label = np.array([[1, 1, 4, 4]]), np.array([1])
    with pytest.raises(ValueError, match=r'image must be uint8.*float32'):
        labeler(image.astype(np.float32), box, label)
    with pytest.raises(ValueError, match=r'image must.*\(8, 8\)'):
        labeler(image[..., 0], box, label)
    with pytest.raises(ValueError, match='labels must have one'):
        labeler(image, box, np.array([1, 2]))
    with pytest.raises(ValueError, match=r'labels must be in 1\.\.254'):
        labeler(image, box, np.array([255]))
    with pytest.raises(AnnotationError, match='Box 1 must be'):
        labeler(image, np.array([[9, 1, 12, 4]]), label)
    with pytest.raises(ValueError, match=r"name of a labeler: .*'Magic'"):
        build_labeler(dict(type='Magic'))
    with pytest.raises(ValueError, match='iterations must be >= 1'):
        build_labeler(dict(GRABCUT, iterations=0))
    with pytest.raises(TypeError):
        build_labeler(dict(GRABCUT, colour='red'))


@pytest.mark.parametrize(
    'values', [np.ones((3, 3), np.uint8), np.ones((3, 4), np.int64)]
)
def test_segments_that_do_not_fit_their_box_are_refused(values):
    class Wrong(PseudoLabeler):
        def segmenter(self, image):
            return lambda box: Segment(values)

    image, box = np.zeros((8, 8, 3), np.uint8), np.array([[1, 1, 5, 4]])
    message = r'Wrong must make .*box, \(3, 4\)\. Got: u?int\d+ \(3, '
    with pytest.raises(ValueError, match=message):
        Wrong()(image, box, np.array([1]))
