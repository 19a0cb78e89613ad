import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rendered_scenes import draw_scene

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.images import ImageError
from box2seg_mmseg.pseudo_labels import (
    GrabCut,
    GrabCutPlus,
    build_labeler,
    generate_pseudo_labels,
)
from box2seg_mmseg.pseudo_labels.labelers import grab_cut_plus
from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut import ExactGrabCut
from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.pixel_links import (
    boundary_weights,
    link_pixels,
)

BOX = np.array([(8, 8, 56, 56)])


@pytest.fixture
def edge_dir(tmp_path):
    """A folder with the edge map ``a.png``, all 0, of 64 x 64 pixels."""
    (tmp_path / 'edges').mkdir()
    _write(tmp_path / 'edges', np.zeros((64, 64)))
    return tmp_path / 'edges'


def _write(folder, edges):
    Image.fromarray(np.asarray(edges, np.uint8)).save(folder / 'a.png')


def test_a_boundary_that_the_colours_do_not_show_decides(edge_dir):
    # Noise around the same grey everywhere; the boundary is a circle.
    rng = np.random.default_rng(0)
    image = rng.integers(118, 138, (64, 64, 3), np.uint8)
    yy, xx = np.mgrid[:64, :64]
    radius = np.hypot(yy - 32, xx - 32)
    _write(edge_dir, 255 * (np.abs(radius - 20) < 1.2))
    inside, outside = radius < 18, (radius > 22) & (radius < 24)

    def errors(labeler):
        got = labeler.label(image, BOX, [1], 'a').label_map
        return (got[inside] != 1).mean() + (got[outside] != 0).mean()

    assert errors(GrabCutPlus(edge_dir)) < 0.1
    assert errors(GrabCut()) > 0.3


def test_the_cut_gets_the_map_and_its_scale(edge_dir, monkeypatch):
    edges = np.random.default_rng(0).integers(0, 256, (64, 64))
    _write(edge_dir, edges)
    given = {}

    class Spy(ExactGrabCut):
        def __init__(self, image, boundary, boundary_scale):
            given.update(boundary=boundary, scale=boundary_scale)
            super().__init__(image, boundary, boundary_scale)

    monkeypatch.setattr(grab_cut_plus, 'ExactGrabCut', Spy)
    image = draw_scene(np.random.default_rng(1), 64)[0]
    labeler = GrabCutPlus(edge_dir, iterations=2, seed=3, boundary_scale=0.3)
    got = labeler.label(image, BOX, [1], 'a').label_map
    assert np.array_equal(given['boundary'], edges)
    assert given['scale'] == 0.3
    # Algorithm 1 by hand: its mask, the cut, and the first lines cleared.
    mask = np.zeros((64, 64), np.uint8)
    mask[8:56, 8:56] = cv2.GC_PR_BGD
    mask[12:51, 12:51] = cv2.GC_PR_FGD
    mask[20:44, 20:44] = cv2.GC_FGD
    cut = ExactGrabCut(image, edges.astype(np.uint8), 0.3)(mask, 2, 3)
    want = cut % 2
    want[8] = want[:, 8] = 0
    assert np.array_equal(got, want)


def test_the_config_rebuilds_it(edge_dir):
    labeler = GrabCutPlus(edge_dir, iterations=2, boundary_scale=0.3)
    assert build_labeler(labeler.config).config == labeler.config


def _generate(tmp_path, edge_dir):
    image = tmp_path / 'a.png'
    cv2.imwrite(str(image), draw_scene(np.random.default_rng(1), 64)[0])
    item = BoxAnnotations('a', str(image), (64, 64), BOX, [1])
    return generate_pseudo_labels(
        [item], GrabCutPlus(edge_dir), tmp_path / 'out'
    )


def test_a_label_is_made_again_when_its_edge_map_changes(tmp_path, edge_dir):
    assert _generate(tmp_path, edge_dir).num_kept == 0
    assert _generate(tmp_path, edge_dir).num_kept == 1
    _write(edge_dir, np.eye(64) * 255)
    assert _generate(tmp_path, edge_dir).num_kept == 0


@pytest.mark.parametrize(
    ('edges', 'message'),
    [
        (None, 'missing; make it with: box2seg make_edge_maps'),
        (np.zeros((64, 63)), r'64 x 64 px.*make_edge_maps.* L, 63 x 64 px'),
        (np.zeros((64, 64, 3)), r'8-bit grey.*Got: RGB, 64 x 64 px'),
        (b'no PNG', 'truncated or corrupt; make it again with: box2seg make_'),
    ],
)
def test_a_bad_edge_map_is_told(tmp_path, edge_dir, edges, message):
    path = edge_dir / 'a.png'
    path.unlink()
    if isinstance(edges, bytes):
        path.write_bytes(edges)
    elif edges is not None:
        _write(edge_dir, edges)
    image = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ImageError, match=message) as error:
        GrabCutPlus(edge_dir).label(image, BOX, [1], 'a')
    assert str(error.value).startswith(f'{path}: ')
    (line,) = _generate(tmp_path, edge_dir).errors
    assert line == str(error.value)


def test_bad_arguments(edge_dir):
    for arguments, message in (
        (dict(edge_dir=edge_dir / 'none'), r'none: no such folder; make edge'),
        (dict(edge_dir=edge_dir, boundary_scale=0), 'boundary_scale must be'),
        (dict(edge_dir=edge_dir, iterations=0), 'iterations must be >= 1'),
    ):
        with pytest.raises(ValueError, match=message):
            GrabCutPlus(**arguments)
    image = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match='image_id must name the edge map'):
        GrabCutPlus(edge_dir)(image, BOX, [1])


@given(st.integers(0, 255), st.floats(0.1, 1))
def test_a_constant_boundary_gives_equal_links(value, scale):
    mask = np.full((5, 6), cv2.GC_PR_FGD, np.uint8)
    found, unit = (
        np.sort(
            link_pixels(
                np.full((5, 6, 1), constant, np.uint8),
                mask,
                boundary_weights(scale),
            )[0],
            axis=None,
        )[-178:]
        for constant in (value, 0)
    )
    # 40 diagonal pairs and 49 others, each from both ends.
    ratio = np.exp(-value / 255 / scale)
    expected = [ratio / np.sqrt(2)] * 80 + [ratio] * 98
    np.testing.assert_allclose(found / unit[-1], expected, rtol=1e-3)
