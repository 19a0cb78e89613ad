import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.pseudo_labels import (
    GrabCutEnsemble,
    build_labeler,
)
from box2seg_mmseg.pseudo_labels.labelers import grab_cut_ensemble
from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut import ExactGrabCut


def test_shares_decide_between_foreground_background_and_ignored(monkeypatch):
    """Pixel ``i`` of each row is foreground in ``i`` of 10 cuts."""
    monkeypatch.setattr(
        grab_cut_ensemble,
        'perturbed_boxes',
        lambda box, size, count, seed: iter([box] * count),
    )
    monkeypatch.setattr(
        GrabCutEnsemble,
        '_cut',
        lambda self, image, edges, box, margin, seed: np.tile(
            np.arange(11) > seed, (11, 1)
        ),
    )
    image = np.zeros((20, 30, 3), np.uint8)
    boxes = np.array([(10, 5, 21, 16)])
    segment = GrabCutEnsemble(cuts=10).label(image, boxes, [1]).segments[0]
    want = [0, 0, *[255] * 6, 1, 1, 1]
    assert segment.values.tolist() == [want] * 11
    labeler = GrabCutEnsemble(
        cuts=10, foreground_share=0.45, background_share=0.45
    )
    segment = labeler.label(image, boxes, [1]).segments[0]
    assert segment.values.tolist() == [[*[0] * 5, *[1] * 6]] * 11


def test_a_vote_counts_where_the_moved_box_lies(monkeypatch):
    monkeypatch.setattr(
        grab_cut_ensemble,
        'perturbed_boxes',
        lambda box, size, count, seed: iter(
            [box, np.add(box, (2, 1, 0, 0)), np.add(box, (-1, -1, 1, -2))]
        ),
    )
    monkeypatch.setattr(
        GrabCutEnsemble,
        '_cut',
        lambda self, image, edges, box, margin, seed: np.ones(
            (box[3] - box[1], box[2] - box[0]), bool
        ),
    )
    votes = GrabCutEnsemble(cuts=3)._vote(
        np.zeros((40, 40, 3), np.uint8), None, (10, 10, 20, 18)
    )
    want = np.full((8, 10), 3)
    want[:, :2] -= 1
    want[0, 2:] -= 1
    want[0, :2] = 2
    want[-2:] -= 1
    np.testing.assert_allclose(3 * votes, want)


@pytest.mark.parametrize('max_pixels', [10_000, 300])
def test_each_cut_sees_its_box_and_a_margin(monkeypatch, tmp_path, max_pixels):
    # The colour of a pixel is its place, and so is its boundary.
    yy, xx = np.mgrid[:100, :120]
    image = np.stack([xx, yy, 0 * xx], 2).astype(np.uint8)
    Image.fromarray(xx.astype(np.uint8)).save(tmp_path / 'a.png')
    seen = []

    class Spy(ExactGrabCut):
        def __init__(self, part, boundary, boundary_scale):
            assert boundary_scale == 0.3
            np.testing.assert_array_equal(part[..., 0], boundary)
            self._part = part

        def __call__(self, mask, iterations, seed):
            assert iterations == 2
            rows, columns = np.nonzero(mask)
            box = self._part[rows, columns, :2].astype(int)
            seen.append((self._part[..., :2].astype(int), box, seed))
            return mask

    monkeypatch.setattr(grab_cut_ensemble, 'ExactGrabCut', Spy)
    labeler = GrabCutEnsemble(
        tmp_path, 40, 0.5, 0.5, 2, 7, boundary_scale=0.3, max_pixels=max_pixels
    )
    labeler.label(image, np.array([(40, 30, 80, 60)]), [1], 'a')
    assert [seed for *_, seed in seen] == list(range(7, 47))
    # Half the size: a small pixel is 2 wide, and the box itself is rounded.
    pixel, rounding = (1, 1) if max_pixels > 1200 else (2, 4)
    margins = []
    for part, box, _ in seen:
        low, high = box.min(0), box.max(0) + pixel
        moved = np.abs([*(low - (40, 30)), *(high - (80, 60))])
        assert (moved <= 0.05 * np.array([40, 30] * 2) + rounding).all()
        sides = high - low
        left_top = (low - part.min((0, 1))) / sides
        right_bottom = (part.max((0, 1)) + pixel - high) / sides
        margins += [*left_top, *right_bottom]
        np.testing.assert_allclose(left_top, right_bottom, atol=0.12)
    assert 0.04 < min(margins) < 0.2 and 0.5 < max(margins) < 0.67


def test_shrinking_keeps_the_place_of_the_cut(monkeypatch):
    monkeypatch.setattr(
        GrabCutEnsemble,
        '_vote_small',
        lambda self, image, edges, box: image[..., 0] / 100.0,
    )
    image = np.zeros((150, 200, 3), np.uint8)
    image[40:90, 60:] = 100
    box = (20, 10, 120, 100)
    share = GrabCutEnsemble(max_pixels=900)._vote(image, None, box)
    want = image[10:100, 20:120, 0] / 100.0
    # It is shrunk to a third: outlines are two or three pixels wide.
    off = np.abs(share - want) > 0.01
    assert share.shape == (90, 100) and off.any()
    distance = np.minimum(
        np.abs(np.arange(20, 120) + 0.5 - 60)[None],
        np.abs(np.arange(10, 100) + 0.5 - 40)[:, None],
    )
    distance = np.minimum(
        distance, np.abs(np.arange(10, 100) + 0.5 - 90)[:, None]
    )
    assert distance[off].max() < 4


def test_a_long_box_is_cut_and_not_filled():
    # Shrunk to 100 pixels, this box would be a single pixel high.
    image = np.full((60, 1300, 3), (90, 160, 30), np.uint8)
    image[25:35, 150:1150] = 40, 60, 200
    box = (100, 20, 1200, 40)
    labeler = GrabCutEnsemble(cuts=5, max_pixels=100)
    (segment,) = labeler.label(image, np.array([box]), [1]).segments
    assert segment.fallback is None
    assert (segment.values[7:13, 60:-60] == 1).all()
    assert (segment.values[[0, -1]] == 0).all()


def test_a_clear_object_is_labelled_up_to_its_outline():
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:80, :80]
    radius = np.hypot(yy - 39.5, xx - 39.5)
    image = np.where((radius < 28)[..., None], (40, 60, 200), (90, 160, 30))
    image = (image + rng.integers(-20, 21, image.shape)).astype(np.uint8)
    labeler = GrabCutEnsemble(cuts=20)
    got = labeler(image, np.array([(11, 11, 69, 69)]), [1])
    assert (got[radius < 25] == 1).all() and (got[radius > 29] == 0).all()


def test_the_seed_decides_and_the_config_rebuilds_it():
    image = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    boxes = np.array([(10, 10, 50, 45)])
    labeler = GrabCutEnsemble(cuts=5, seed=4)
    one = labeler(image, boxes, [1])
    again = build_labeler(labeler.config)(image, boxes, [1])
    assert np.array_equal(one, again)
    other = GrabCutEnsemble(cuts=5, seed=5)(image, boxes, [1])
    assert not np.array_equal(one, other)
    assert labeler.provenance == {} and labeler.side_files('a') == ()


@pytest.mark.parametrize(
    ('box', 'reason'),
    [
        ((5, 5, 6, 30), 'thinner than 3 px'),
        ((0, 0, 64, 64), 'covers the whole image'),
    ],
)
def test_boxes_without_a_cut_are_filled_and_told(box, reason):
    image = np.zeros((64, 64, 3), np.uint8)
    (segment,) = (
        GrabCutEnsemble(cuts=2).label(image, np.array([box]), [1]).segments
    )
    assert segment.fallback == reason and (segment.values == 1).all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(cuts=0), 'cuts must be >= 1. Got: 0'),
        (dict(background_share=0.8), 'shares must be.*Got: 0.8 and 0.7'),
        (dict(foreground_share=1), 'shares must be.*Got: 0.2 and 1'),
        (dict(max_pixels=99), 'max_pixels must be >= 100. Got: 99'),
        (dict(seed=2**31), 'seed must be in'),
        (dict(boundary_scale=-1), 'boundary_scale must be > 0'),
        (dict(iterations=0), 'iterations must be >= 1'),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        GrabCutEnsemble(**arguments)
