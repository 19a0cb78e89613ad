import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import GrabCut
from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut import ExactGrabCut


def _differing(image, boxes):
    """Pixels of the label map that the two backends give other values."""
    labels = np.arange(1, len(boxes) + 1)
    ours, reference = (
        GrabCut(seed=3, backend=backend)(image, boxes, labels)
        for backend in ('numba', 'opencv')
    )
    assert reference.any()
    return (ours != reference).sum()


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(8, 40),
    st.integers(8, 40),
    st.sampled_from([0, 3, 30]),
)
def test_blobs_in_noise(seed, height, width, noise):
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3))
    image[:] = rng.integers(0, 256, 3)
    center = rng.integers(2, height - 2), rng.integers(2, width - 2)
    y, x = np.indices((height, width))
    blob = np.hypot(y - center[0], x - center[1]) < rng.integers(3, 12)
    image[blob] = rng.integers(0, 256, 3)
    image += rng.normal(0, noise, image.shape)
    image = image.clip(0, 255).astype(np.uint8)
    x1, y1 = rng.integers(0, width - 6), rng.integers(0, height - 6)
    box = x1, y1, rng.integers(x1 + 4, width), rng.integers(y1 + 4, height)
    assert _differing(image, np.array([box])) == 0


def test_an_image_of_one_color():
    image = np.full((20, 20, 3), 90, np.uint8)
    assert _differing(image, np.array([(3, 3, 15, 15)])) == 0


@pytest.mark.parametrize('place', range(10))
def test_photographs(photographs, place):
    path = sorted((photographs / 'Annotations').iterdir())[place]
    (annotations,) = VOCXML(photographs).read([path.stem])
    image = cv2.imread(str(annotations.image_path))
    assert _differing(image, annotations.boxes) == 0


def test_several_boxes_of_a_large_photograph(photographs):
    path = min((photographs / 'Annotations').iterdir())
    (annotations,) = VOCXML(photographs).read([path.stem])
    image = cv2.imread(str(annotations.image_path))
    image = cv2.resize(image, (1024, 768), interpolation=cv2.INTER_CUBIC)
    boxes = np.array([(30, 40, 130, 120), (500, 300, 620, 390)])
    assert _differing(image, boxes) == 0


def _square_in_noise():
    """An image without contrast, its mask, and a square's outline."""
    image = np.random.default_rng(0).integers(100, 140, (40, 40, 3), np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[4:36, 4:36] = 3
    mask[16:24, 16:24] = 1
    boundary = np.zeros((40, 40), np.uint8)
    boundary[9:31, 9:31] = 255
    boundary[10:30, 10:30] = 0
    return image, mask, boundary


def test_the_cut_follows_a_boundary_where_colors_say_nothing():
    image, mask, boundary = _square_in_noise()
    got = ExactGrabCut(image, boundary, 0.1)(mask) % 2
    assert got[10:30, 10:30].all()
    assert not got[:9].any() and not got[31:].any()
    assert (ExactGrabCut(image)(mask) % 2 != got).any()


@pytest.mark.parametrize(
    ('change', 'scale', 'error'),
    [
        (lambda b: b[1:], 0.1, r'image, \(40, 40\)\. Got: uint8, \(39, 40'),
        (lambda b: b / 255, 0.1, r'must be uint8 .*Got: float64, \(40, 40'),
        (lambda b: b, 0.0, 'boundary scale must be > 0. Got: 0.0'),
    ],
)
def test_a_bad_boundary_is_named(change, scale, error):
    image, _, boundary = _square_in_noise()
    with pytest.raises(ValueError, match=error):
        ExactGrabCut(image, change(boundary), scale)


@pytest.mark.slow
@pytest.mark.parametrize('line', range(0, 180, 12))
def test_photographs_of_voc_mini(data_dir, line):
    root = data_dir / 'voc-mini'
    ids = (root / 'ImageSets/Segmentation/val.txt').read_text().split()
    (annotations,) = VOCXML(root).read([ids[line]])
    image = cv2.imread(str(annotations.image_path))
    for box in annotations.boxes:
        assert _differing(image, box[None]) == 0
