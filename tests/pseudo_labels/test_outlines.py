import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_fill_holes

from box2seg_mmseg.pseudo_labels.outlines import join_outlines, mask_outlines

mask_utils = pytest.importorskip(
    'pycocotools.mask', reason="needs the extra 'coco'"
)


def _drawn(outlines, size):
    """The pixels in some outlines, as pycocotools draws them."""
    polygons = [np.ravel(corners).tolist() for corners in outlines]
    rles = mask_utils.frPyObjects(polygons, *size)
    return mask_utils.decode(mask_utils.merge(rles)).astype(bool)


def test_outlines_follow_the_edges_of_the_pixels():
    mask = np.zeros((6, 9), bool)
    mask[1:4, 2:5] = mask[3, 1] = mask[5, 8] = True
    mask[2, 3] = False  # a hole
    large, dot = mask_outlines(mask)
    corners = [(2, 1), (5, 1), (5, 4), (1, 4), (1, 3), (2, 3)]
    assert sorted(map(tuple, large)) == sorted(corners)
    assert sorted(map(tuple, dot)) == [(8, 5), (8, 6), (9, 5), (9, 6)]
    joined = join_outlines([large, dot]).tolist()
    assert len(joined) == 6 + 4 + 2  # each end of the line comes twice
    assert [joined.count([5, 4]), joined.count([8, 5])] == [2, 2]
    assert mask_outlines(np.zeros((3, 3), bool)) == []


def test_the_nearest_component_is_joined_first():
    first, far, near = (
        np.array([(x, 0), (x + 1, 0), (x + 1, 1), (x, 1)]) for x in (0, 9, 4)
    )
    ring = join_outlines([first, far, near])
    steps = np.abs(np.roll(ring, -1, 0) - ring).max(1)
    assert sorted(steps)[-5:] == [1, 3, 3, 4, 4]


masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: arrays(bool, size)
)


@given(masks)
def test_outlines_draw_the_mask_with_its_holes_filled(mask):
    outlines = mask_outlines(mask)
    assert bool(outlines) == mask.any()
    if outlines:
        filled = binary_fill_holes(mask)
        assert np.array_equal(_drawn(outlines, mask.shape), filled)
        joined = join_outlines(outlines)
        assert np.array_equal(_drawn([joined], mask.shape), filled)
        assert {*map(tuple, joined)} == {*map(tuple, np.concatenate(outlines))}
