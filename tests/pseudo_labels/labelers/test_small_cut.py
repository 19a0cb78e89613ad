import numpy as np
import pytest
from rendered_scenes import draw_scene

from box2seg_mmseg.pseudo_labels import build_labeler


def _label(scene, **options):
    image, _, boxes, labels = scene
    labeler = build_labeler(dict(type='GrabCut', **options))
    return labeler(image, boxes, labels)


@pytest.fixture(params=range(4))
def scene(request):
    return draw_scene(np.random.default_rng(request.param), 96)


def test_a_small_view_gives_almost_the_same(scene):
    _, _, boxes, _ = scene
    whole, small = _label(scene), _label(scene, scale=0.5)
    covered = np.zeros(whole.shape, bool)
    for x1, y1, x2, y2 in boxes.astype(int):
        covered[y1:y2, x1:x2] = True
    assert (whole == small)[covered].mean() > 0.8
    assert not small[~covered].any()
    assert not np.array_equal(whole, small)


def test_any_box_has_a_small_view():
    image = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    for box in ((0, 0, 1, 1), (10, 8, 11, 9), (0, 0, 11, 9), (2, 2, 9, 3)):
        labels = build_labeler(dict(type='GrabCut', scale=0.1))(
            image, np.array([box]), np.array([1])
        )
        x1, y1, x2, y2 = box
        assert labels[y1:y2, x1:x2].all()  # nothing left to cut: filled


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(seed=2**31), r'seed must be in -2\*\*31\.\.2\*\*31 - 1\.'),
        (
            dict(seed=2**31 - 4, perturbations=4),
            r'seed must be in -2\*\*31\.\.2\*\*31 - 5\.',
        ),
        (dict(scale=1.5), r'scale must be in \(0, 1\]\. Got: 1\.5'),
        (dict(ignore_unstable=2), r'ignore_unstable must be in \[0, 1\]'),
        (dict(ignore_unstable=1, perturbations=0), 'perturbations must be'),
        (dict(perturbations=-1), r'perturbations must be .* Got: -1'),
        (dict(backend='gpu'), "backend must be one of numba, opencv.*'gpu'"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build_labeler(dict(type='GrabCut', **options))
    with pytest.raises(ValueError, match=r'inner must be in \(0, 1\]'):
        build_labeler(dict(type='BoxFill', inner=0))
