import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rendered_scenes import draw_scene

from box2seg_mmseg.pseudo_labels import build_labeler
from box2seg_mmseg.pseudo_labels.labelers.stability import (
    agreement,
    perturbed_boxes,
)

SIZE = (50, 70)


@st.composite
def _boxes(draw):
    x1 = draw(st.integers(0, SIZE[1] - 1))
    y1 = draw(st.integers(0, SIZE[0] - 1))
    x2 = draw(st.integers(x1 + 1, SIZE[1]))
    y2 = draw(st.integers(y1 + 1, SIZE[0]))
    return x1, y1, x2, y2


@given(_boxes(), st.integers(-5, 2**31 - 1))
def test_perturbed_boxes_are_near_and_inside(box, seed):
    made = list(perturbed_boxes(box, SIZE, 5, seed))
    assert made == list(perturbed_boxes(box, SIZE, 5, seed))
    assert len(made) == 5
    side = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    for x1, y1, x2, y2 in made:
        assert 0 <= x1 < x2 <= SIZE[1] and 0 <= y1 < y2 <= SIZE[0]
        moves = np.abs(np.subtract((x1, y1, x2, y2), box))
        assert (moves <= np.maximum(0.05 * side + 0.5, 1)).all()


def test_perturbed_boxes_differ():
    made = list(perturbed_boxes((10, 5, 60, 45), SIZE, 8, 0))
    assert len(set(made)) == 8
    assert made != list(perturbed_boxes((10, 5, 60, 45), SIZE, 8, 1))


@given(_boxes(), st.lists(_boxes(), min_size=1, max_size=4), st.randoms())
def test_agreement_is_what_whole_masks_say(box, others, random):
    rng = np.random.default_rng(random.randrange(2**32))

    def whole(box):
        x1, y1, x2, y2 = box
        mask = np.zeros(SIZE, bool)
        mask[y1:y2, x1:x2] = rng.random((y2 - y1, x2 - x1)) < 0.5
        return mask, mask[y1:y2, x1:x2]

    mask, inside = whole(box)
    masks, segments = zip(*map(whole, others), strict=True)
    share, mean_iou = agreement(
        box, inside, list(zip(others, segments, strict=True))
    )
    x1, y1, x2, y2 = box
    want = np.mean([m == mask for m in masks], axis=0)[y1:y2, x1:x2]
    assert np.allclose(share, want)
    ious = [
        (m & mask).sum() / (m | mask).sum() if (m | mask).any() else 1
        for m in masks
    ]
    assert np.isclose(mean_iou, np.mean(ious))


def test_unstable_pixels_are_those_that_other_cuts_deny():
    rng = np.random.default_rng(2)
    image, _, boxes, labels = draw_scene(rng, 64)
    noise = rng.integers(-60, 60, image.shape)
    image = np.clip(image + noise, 0, 255).astype(np.uint8)
    box, label = boxes[:1], labels[:1]
    plain = build_labeler(dict(type='GrabCut'))(image, box, label)
    votes = np.zeros(image.shape[:2])
    others = perturbed_boxes(tuple(box[0].astype(int)), (64, 64), 4, 0)
    for seed, other in enumerate(others, start=1):
        labeler = build_labeler(dict(type='GrabCut', seed=seed))
        votes += labeler(image, np.array([other]), label) == plain
    config = dict(type='GrabCut', ignore_unstable=0.75, perturbations=4)
    result = build_labeler(config).label(image, box, label)
    x1, y1, x2, y2 = box[0].astype(int)
    want = plain.copy()
    want[y1:y2, x1:x2][votes[y1:y2, x1:x2] < 3] = 255
    assert np.array_equal(result.label_map, want)
    assert (want == 255).any() and (want == label[0]).any()
    assert 0 < result.segments[0].agreement < 1
