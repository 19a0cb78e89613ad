from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from box2seg_mmseg.visualization import draw_comparison, read_photograph

IDS = ['val_0000', 'val_0001']


def _photograph(root, image_id):
    return root / f'JPEGImages/{image_id}.jpg'


def test_a_row_for_each_method_below_the_ground_truth(scenes, tmp_path):
    masks = scenes / 'SegmentationClass'
    pictures = {}
    for count in (1, 3):
        path = tmp_path / f'{count}.png'
        draw_comparison(
            path,
            {name: _photograph(scenes, name) for name in IDS},
            masks,
            {f'method {i}': masks for i in range(count)},
        )
        pictures[count] = np.array(Image.open(path).convert('RGB'))
    few, many = pictures[1], pictures[3]
    assert few.shape[1] == many.shape[1]
    assert many.shape[0] == pytest.approx(2 * few.shape[0], abs=2)


def test_classes_are_coloured(scenes, tmp_path):
    pictures = []
    for name, label in (('background', 0), ('everything', 2)):
        folder = tmp_path / name
        folder.mkdir()
        Image.new('L', (64, 64), label).save(folder / 'val_0000.png')
        draw_comparison(
            tmp_path / 'a.png',
            {'val_0000': _photograph(scenes, 'val_0000')},
            scenes / 'SegmentationClass',
            {'method': folder},
        )
        picture = Image.open(tmp_path / 'a.png').convert('RGB')
        pictures.append(np.array(picture, int))
    plain, green = pictures
    differ = (plain != green).any(-1)
    rows = np.flatnonzero(differ.any(1))
    assert rows[0] > plain.shape[0] // 2, 'only the row of the method'
    # Class 2 is (0, 128, 0) in PASCAL VOC's colours, and covers 65 %.
    inside = np.s_[rows[0] + 2 : rows[-1] - 1]
    columns = np.flatnonzero(differ[inside].any(0))
    inside = (inside, np.s_[columns[0] + 2 : columns[-1] - 1])
    want = 0.35 * plain[inside] + 0.65 * np.array([0, 128, 0])
    assert np.abs(green[inside] - want).mean() < 2


def test_a_photograph_lies_as_its_exif_says(tmp_path):
    for name in ('JPEGImages', 'SegmentationClass'):
        (tmp_path / name).mkdir()
    photograph = Image.new('L', (60, 40), 200)  # grey, too
    exif = photograph.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    photograph.save(tmp_path / 'JPEGImages/a.jpg', exif=exif)
    Image.new('L', (40, 60)).save(tmp_path / 'SegmentationClass/a.png')
    draw_comparison(
        tmp_path / 'a.png',
        {'a': _photograph(tmp_path, 'a')},
        tmp_path / 'SegmentationClass',
        {},
    )


def test_a_deep_grey_photograph_is_what_labels_see(tmp_path):
    deep = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80
    cv2.imwrite(str(tmp_path / 'a.png'), deep)
    got = read_photograph(tmp_path / 'a.png')
    assert np.abs(got - (deep / 256)[..., None]).max() <= 1


def test_titles_are_no_formulas_and_a_figure_is_whole_or_not(
    scenes, tmp_path, monkeypatch
):
    path = tmp_path / 'a.png'

    def draw():
        draw_comparison(
            path,
            {'val_0000': _photograph(scenes, 'val_0000')},
            scenes / 'SegmentationClass',
            {r'loss $\alpha_fg^$ v1': scenes / 'SegmentationClass'},
        )

    draw()
    before = path.read_bytes()

    def fill_disk(_, file, **options):
        Path(file).write_bytes(before[:100])
        raise OSError('disk full')

    monkeypatch.setattr(Figure, 'savefig', fill_disk)
    with pytest.raises(OSError, match='disk full'):
        draw()
    assert path.read_bytes() == before


def test_a_missing_prediction_is_named(scenes, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'val_0000\.png'):
        draw_comparison(
            tmp_path / 'a.png',
            {'val_0000': _photograph(scenes, 'val_0000')},
            scenes / 'SegmentationClass',
            {'method': tmp_path},
        )
