import numpy as np
import pytest
from PIL import Image
from predict import find_photographs, write_overlays

from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.label_maps import write_label_png


def _photograph(path, mode='RGB'):
    grey = Image.new('L', (8, 6), 100)
    grey.convert(mode).save(path)


def test_photographs_are_found_and_bad_ones_named(tmp_path):
    _photograph(tmp_path / 'a.jpg', 'L')
    _photograph(tmp_path / 'b.PNG', 'RGBA')
    (tmp_path / 'notes.txt').write_text('no photograph')
    (tmp_path / 'c.jpg').write_bytes(b'garbage')
    images, (error,) = find_photographs(tmp_path)
    assert list(images) == ['a', 'b']
    assert 'c.jpg' in error and 'not an image file' in error


def test_subfolders_are_searched_and_results_are_not(tmp_path):
    """Masks of an earlier run are not taken for photographs."""
    paths = ['a.jpg', 'trip/a.jpg', 'trip/day.1/b.jpg', 'masks.jpg']
    skipped = ['out/masks/a.png', 'out/overlays/trip/a.jpg', '.cache/a.jpg']
    for name in [*paths, *skipped, 'trip/._b.jpg']:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        _photograph(tmp_path / name)
    excluded = [tmp_path / 'out' / name for name in ('masks', 'overlays')]
    images, errors = find_photographs(tmp_path, excluded)
    assert errors == []
    assert images == {
        name.removesuffix('.jpg'): tmp_path / name for name in paths
    }


def test_results_in_any_folder_are_skipped(tmp_path):
    names = ['a.jpg', 'old/b.jpg', 'masks/c.jpg']
    results = ['old/masks/a.png', 'old/overlays/a.jpg', 'old/network/x/a.png']
    for name in [*names, *results]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        _photograph(tmp_path / name)
    images, _ = find_photographs(tmp_path)
    assert sorted(images) == ['a', 'masks/c', 'old/b']


def test_impossible_requests_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match='none: no such folder'):
        find_photographs(tmp_path / 'none')
    with pytest.raises(UsageError, match='has no image'):
        find_photographs(tmp_path)
    _photograph(tmp_path / 'a.jpg')
    _photograph(tmp_path / 'a.png')
    with pytest.raises(
        UsageError, match=r'a\.png: has the same name as a\.jpg'
    ):
        find_photographs(tmp_path)


def test_overlays_show_the_classes(tmp_path):
    _photograph(tmp_path / 'a.png')
    label = np.zeros((6, 8), np.uint8)
    label[:, 4:] = 1  # VOC's dark red
    write_label_png(tmp_path / 'masks/a.png', label)
    write_overlays(
        {'a': tmp_path / 'a.png'}, tmp_path / 'masks', tmp_path / 'overlays'
    )
    got = np.array(Image.open(tmp_path / 'overlays/a.jpg')).astype(int)
    assert abs(got[:, :3] - 100).max() < 12, 'the background stays'
    red, green = got[..., 0], got[..., 1]
    assert (red[:, 5:] - green[:, 5:] > 80).all()


def test_a_mask_of_another_size_names_the_photograph(tmp_path):
    _photograph(tmp_path / 'a.jpg')
    write_label_png(tmp_path / 'masks/a.png', np.zeros((8, 6), np.uint8))
    with pytest.raises(UsageError, match=r"a\.jpg: .*color_type='color'"):
        write_overlays({'a': tmp_path / 'a.jpg'}, tmp_path / 'masks', tmp_path)
