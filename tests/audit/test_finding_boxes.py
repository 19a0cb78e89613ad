"""The three searches, on images whose errors are known."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from box2seg_mmseg.audit import box_corrector, merged_boxes
from box2seg_mmseg.audit.box_audit import _iou, _moves
from box2seg_mmseg.audit.box_corrector import (
    CHANNELS,
    ImageFeatures,
    reduce_channels,
    train_corrector,
)
from box2seg_mmseg.audit.merged_boxes import MergedBoxes
from box2seg_mmseg.audit.missing_objects import missing_objects
from box2seg_mmseg.boxes import BoxAnnotations, add_box_noise

SIZE = 60, 80


def _boxes(boxes, labels=None, name='a', **options):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    labels = np.ones(len(boxes)) if labels is None else labels
    return BoxAnnotations(name, f'{name}.jpg', SIZE, boxes, labels, **options)


def _objects(boxes, value=0.9):
    """The foreground of objects that fill their boxes."""
    foreground = np.full(SIZE, 0.1, np.float32)
    for x1, y1, x2, y2 in np.asarray(boxes).astype(int).reshape(-1, 4):
        foreground[y1:y2, x1:x2] = value
    return foreground


def _random_objects(rng, num):
    """Boxes of 8 to 14 px, one in each of some cells of 20 px."""
    cells = rng.permutation(12)[:num]
    corner = np.stack([cells % 4, cells // 4], 1) * 20 + 1
    corner = corner + rng.integers(0, 4, corner.shape)
    return np.concatenate([corner, corner + rng.integers(8, 15, (num, 2))], 1)


def test_a_missing_object_is_found_with_its_score():
    foreground = _objects([(10, 10, 30, 20), (50, 30, 70, 50)], 0.8)
    (found,) = missing_objects(_boxes([(10, 10, 30, 20)]), foreground)
    assert found.mode == 'missing' and found.index is None
    assert found.box == (50, 30, 70, 50)
    assert found.score == pytest.approx(0.8 * math.sqrt(400 / 4800))
    assert found.reason == (
        'The network sees an object here, 80% sure, on 8.3% of the image'
    )
    both = missing_objects(_boxes([]), foreground)
    assert sorted(one.box[0] for one in both) == [10, 50]


def test_the_rim_of_a_boxed_object_and_single_pixels_are_no_objects():
    # Two pixels beyond each side are within 5 % of 40 px.
    foreground = _objects([(18, 8, 62, 52), (75, 55, 76, 57)])
    assert not missing_objects(_boxes([(20, 10, 60, 50)]), foreground)
    (found,) = missing_objects(
        _boxes([(20, 10, 60, 50)]), _objects([(75, 55, 76, 58)])
    )
    assert found.box == (75, 55, 76, 58)


def test_merged_boxes_have_the_highest_scores():
    rng = np.random.default_rng(0)
    merged, is_merged = MergedBoxes(), []
    for i in range(60):
        objects = _random_objects(rng, 4)
        image = _boxes(objects, name=f'{i:02d}')
        if i % 6 == 0:
            whole = [*objects[:2].min(0)[:2], *objects[:2].max(0)[2:]]
            image = _boxes([whole, *objects[2:]], name=f'{i:02d}')
        merged.add(image, _objects(objects))
        is_merged += [i % 6 == 0] + [False] * (len(image.labels) - 1)
    found = merged.findings()
    assert [(one.image_id, one.index) for one in found[:4]] == [
        ('00', 0),
        ('00', 1),
        ('00', 2),
        ('01', 0),
    ]
    scores = np.array([one.score for one in found])
    worst = np.argsort(-scores)[:10]
    assert np.array(is_merged)[worst].sum() >= 9
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize('name', ['group_of', 'crowd'])
def test_a_group_is_certain_and_nothing_to_learn_from_is_no_error(name):
    merged = MergedBoxes()
    box = (10, 10, 30, 20)
    flags = {name: np.array([True]), 'difficult': np.array([False])}
    merged.add(_boxes([box], flags=flags), _objects([box]))
    merged.add(_boxes([box], name='b'), _objects([box]))
    merged.add(_boxes([], name='c'), _objects([]))
    group, other = merged.findings()
    assert group.score == 1 and 'group' in group.reason
    assert other.score == 0


def test_groups_and_copies_of_boxes_teach_nothing(monkeypatch):
    fitted = []
    monkeypatch.setattr(
        merged_boxes,
        '_classify',
        lambda rows, real, planted: (
            fitted.append((len(rows), len(real), len(planted)))
            or np.zeros(len(rows))
        ),
    )
    merged = MergedBoxes()
    assert merged.findings() == []
    for i in range(5):
        # The second box is in the third; both and the fourth are of a class.
        boxes = [(50, 40, 60, 50), (5, 5, 9, 9), (2, 2, 20, 20)]
        boxes += [(30, 2, 40, 20)] * (i == 0)
        flags = dict(group_of=np.array([True] + [False] * (len(boxes) - 1)))
        merged.add(_boxes(boxes, name=f'{i}', flags=flags), _objects(boxes))
    merged.findings()
    # Of each fold: the boxes of its image, those of the others without their
    # groups, and the new boxes of the others. Merging the second and the
    # third box gives the third again.
    assert fitted[0] == (4, 8, 0)
    assert [row[:2] for row in fitted[1:]] == [(3, 9)] * 4


def test_what_describes_a_box():
    left, right = (10, 10, 20, 30), (30, 10, 40, 30)
    image = _boxes([(10, 10, 40, 30), (50, 40, 60, 50)])
    rows = merged_boxes._describe(image, _objects([left, right]))
    # The profile along x is 0.9, 0.1, 0.9; the window that smooths has 1 px.
    assert rows[0] == pytest.approx(
        [0.8, 1.9 / 3, 2, 1, math.log(600 / 4800), math.log(1.5)],
        abs=1e-6,
    )
    assert rows[1][:4] == pytest.approx([0, 0.1, 0, 1], abs=1e-6)


def test_a_planted_box_counts_all_others_of_its_class():
    # The first two become a new box; the third and the fourth become the
    # fourth, which is the other box of the class.
    boxes = [
        (2, 2, 10, 10),
        (14, 2, 22, 10),
        (40, 20, 50, 30),
        (36, 16, 60, 50),
    ]
    merged = MergedBoxes()
    merged.add(_boxes(boxes, [1, 1, 1, 1]), _objects(boxes))
    (planted,) = merged._planted
    assert planted[:, 3].tolist() == [1]


def test_the_regression_minimises_its_loss():
    rng = np.random.default_rng(1)
    real, planted = rng.normal(0, 1, (90, 6)), rng.normal(0.7, 2, (40, 6))
    got = merged_boxes._logistic_regression(real, planted)

    terms = merged_boxes._terms(np.concatenate([real, planted]))
    terms = torch.from_numpy(terms)
    scale = terms.std(0, correction=0)
    scale[-1] = 1
    target = torch.cat([torch.zeros(90), torch.ones(40)]).double()
    share = torch.where(target > 0, 0.3 / 40, 1 / 90) / 1.3
    weights = torch.zeros(13, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights],
        max_iter=500,
        tolerance_grad=1e-10,
        line_search_fn='strong_wolfe',
    )

    def loss():
        optimizer.zero_grad()
        logits = (terms / scale) @ weights
        errors = F.binary_cross_entropy_with_logits(
            logits, target, reduction='none'
        )
        value = (errors * share).sum() + 0.01 * (weights[:-1] ** 2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    want = weights.detach().numpy() / scale.numpy()
    np.testing.assert_allclose(got, want, atol=1e-4)


def _coordinates():
    """A map whose two channels are the position in the image, in pixels."""
    height, width = SIZE
    y, x = np.mgrid[:height, :width] + 0.5
    return torch.from_numpy(np.stack([x, y]).astype(np.float32))


def test_windows_show_the_box_and_its_surroundings():
    image = _boxes([(20, 20, 40, 30), (35, 25, 60, 40)])
    features = ImageFeatures(image, [_coordinates()])
    got = features.windows(image.boxes[:1], [0])[0].numpy()
    steps = (np.arange(16) + 0.5) / 8 - 0.5
    x, y = 20 + 20 * steps, 20 + 10 * steps
    np.testing.assert_allclose(got[0], np.tile(x, (16, 1)), atol=1e-3)
    np.testing.assert_allclose(got[1], np.tile(y, (16, 1)).T, atol=1e-3)
    assert (got[2] == 1).all()
    other = (y[:, None] >= 25) & (x >= 35)
    np.testing.assert_array_equal(got[3], other)
    # At the border of the image.
    corner = features.windows(np.array([(0, 0, 10, 10)]), [-1])[0].numpy()
    assert (corner[2] == (steps[:, None] > 0) & (steps > 0)).all()


def test_the_projection_depends_on_nothing_but_the_channels():
    maps = torch.randn(7, 3, 5)
    first, second = reduce_channels(maps), reduce_channels(maps.clone())
    assert first.shape == (CHANNELS, 3, 5) and torch.equal(first, second)
    torch.testing.assert_close(
        reduce_channels(2 * maps).float(), 2 * first.float()
    )


def test_a_corrector_moves_boxes_back(monkeypatch):
    monkeypatch.setattr(box_corrector, '_MOST_ITERATIONS', 150)
    rng = np.random.default_rng(2)

    def make(name):
        objects = _random_objects(rng, 3)
        seen = torch.from_numpy(_objects(objects))[None]
        return objects, [seen, F.avg_pool2d(seen, 2)]

    training = [make(i) for i in range(40)]
    corrector = train_corrector(
        [ImageFeatures(_boxes(boxes), maps) for boxes, maps in training]
    )
    before, after = [], []
    for i in range(20):
        boxes, maps = make(i)
        moved = add_box_noise(_boxes(boxes, name=f'{i}'), 'jitter', 1)
        corrected = corrector.correct(ImageFeatures(moved, maps))
        assert (corrected[:, :2] < corrected[:, 2:]).all()
        before += map(_iou, boxes.tolist(), moved.boxes.tolist())
        after += map(_iou, boxes.tolist(), corrected.tolist())
    assert np.mean(before) < 0.72
    assert np.mean(after) > np.mean(before) + 0.1
    # It was trained on mirror images too, which the mean would hide.
    windows = ImageFeatures(moved, maps).windows(moved.boxes, range(3))
    with torch.no_grad():
        plain = corrector(windows).numpy()
        turned = corrector(windows.flip(-1)).numpy()
    turned = turned[:, [2, 1, 0, 3]] * [-1, 1, -1, 1]
    assert np.abs(plain - turned).mean() < 0.05
    # Mirrored boxes of a mirrored image move in the same way.
    width = SIZE[1]
    boxes = moved.boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [
        width,
        0,
        width,
        0,
    ]
    mirrored = corrector.correct(
        ImageFeatures(_boxes(boxes), [one.flip(-1) for one in maps])
    )
    mirrored = mirrored[:, [2, 1, 0, 3]] * [-1, 1, -1, 1]
    np.testing.assert_allclose(
        mirrored + np.array([width, 0, width, 0]), corrected, atol=0.02
    )


def test_training_a_corrector_leaves_the_random_state(monkeypatch):
    monkeypatch.setattr(box_corrector, '_MOST_ITERATIONS', 2)
    boxes = [(10, 10, 30, 20)]
    images = [ImageFeatures(_boxes(boxes), [torch.rand(3, 6, 8)])]
    torch.manual_seed(5)
    want = torch.rand(3)
    torch.manual_seed(5)
    first, second = (
        train_corrector(images, seed=seed).state_dict() for seed in (1, 1)
    )
    assert torch.equal(torch.rand(3), want)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_reasons_name_the_sides():
    assert _iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert _iou((0, 0, 10, 10), (20, 0, 30, 10)) == 0
    assert _moves((10, 10, 30, 20), (14, 10, 36, 20.4)) == (
        'Left side 20% further in, right side 30% further out'
    )
    assert _moves((10, 10, 30, 20), (10.5, 10, 30, 20)) == (
        'No side is off by more than 5%'
    )
