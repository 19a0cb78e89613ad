"""A small OpenImages in the true format."""

import numpy as np
import pytest
from PIL import Image
from preparation import open_images
from preparation.open_images import BoxFilter, prepare_open_images

from box2seg_mmseg.boxes import (
    VOC_CLASSES,
    VOCXML,
    AnnotationError,
    ReadingReport,
)

HEADER = (
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,'
    'IsTruncated,IsGroupOf,IsDepiction,IsInside'
)
CODES = dict(cat='/m/01yrx', dog='/m/0bt9lr', tree='/m/07j7r')


class _Folder:
    """CSV, descriptions and images of 200 x 100 px."""

    def __init__(self, root):
        self.root, self.rows = root, []
        self.images = root / 'images'
        self.images.mkdir()
        self.descriptions = root / 'class-descriptions.csv'
        self.descriptions.write_text(
            ''.join(f'{code},{name.title()}\n' for name, code in CODES.items())
        )

    def add(self, image_id, name, box=(0.1, 0.5, 0.2, 0.8), flags='00000'):
        """A row; the box is x1, x2, y1, y2."""
        values = [image_id, 'xclick', CODES[name], 1, *box, *flags]
        self.rows.append(','.join(map(str, values)))
        path = self.images / f'{image_id}.jpg'
        if not path.exists():
            Image.fromarray(np.zeros((100, 200, 3), np.uint8)).save(path)

    def prepare(self, header=HEADER, **kwargs):
        self.csv = self.root / 'boxes.csv'
        self.csv.write_text('\n'.join([header, *self.rows]) + '\n')
        return prepare_open_images(
            self.csv,
            self.descriptions,
            self.images,
            self.root / 'out',
            **kwargs,
        )

    def chosen(self):
        split = self.root / 'out/ImageSets/Segmentation/train.txt'
        return split.read_text().split()


@pytest.fixture
def folder(tmp_path):
    return _Folder(tmp_path)


def test_boxes_become_vocs(folder):
    folder.add('a', 'cat')
    folder.add('a', 'tree')
    folder.add('b', 'tree')
    folder.add('c', 'dog', (0, 1, 0, 1), '11000')
    folder.add('gone', 'dog')
    (folder.images / 'gone.jpg').unlink()
    report = folder.prepare()
    assert folder.chosen() == ['a', 'c'], 'b has no box of the classes'
    assert (report.images['all'], report.absent) == (2, 1)
    assert (report.boxes['cat'], report.boxes['dog']) == (1, 1)
    (found,) = VOCXML(folder.root / 'out').read(['a'])
    np.testing.assert_allclose(found.boxes, [[20, 20, 100, 80]], rtol=1e-6)
    assert [VOC_CLASSES[i - 1] for i in found.labels] == ['cat']
    assert (folder.root / 'out/JPEGImages/a.jpg').exists()


@pytest.mark.parametrize('position', [2, 3, 4])
def test_an_image_with_a_bad_box_goes(folder, position):
    flags = ['0'] * 5
    flags[position] = '1'
    folder.add('a', 'cat')
    folder.add('a', 'dog', flags=flags)
    folder.add('b', 'dog')
    report = folder.prepare()
    assert folder.chosen() == ['b']
    assert report.left_out == 1
    folder.prepare(box_filter=BoxFilter(drop_images=False))
    assert folder.chosen() == ['a', 'b']
    source = VOCXML(folder.root / 'out')
    assert len(next(source.read(['a'])).labels) == 1
    folder.prepare(box_filter=BoxFilter(flags=()))
    assert len(next(source.read(['a'])).labels) == 2


def test_small_boxes(folder):
    folder.add('a', 'cat', (0, 0.1, 0, 0.1))
    folder.add('b', 'cat', (0, 0.2, 0, 0.1))
    folder.prepare(box_filter=BoxFilter(min_area=0.02))
    assert folder.chosen() == ['b']


def test_as_many_of_each_class_whatever_the_order(folder):
    for i in range(40):
        folder.add(f'cat{i:02}', 'cat')
    for i in range(8):
        folder.add(f'dog{i:02}', 'dog')
    folder.prepare(per_class=5)
    first = folder.chosen()
    assert sum(name.startswith('cat') for name in first) == 5
    assert sum(name.startswith('dog') for name in first) == 5
    folder.rows.reverse()
    folder.prepare(per_class=5)
    assert folder.chosen() == first
    folder.prepare(per_class=5, seed=1)
    assert folder.chosen() != first


def test_bad_rows_and_nothing_left(folder):
    folder.add('a', 'cat')
    folder.add('b', 'cat', ('x', 0.5, 0.1, 0.9))
    with pytest.raises(AnnotationError, match=r'line 3.*'):
        folder.prepare()
    reading = ReadingReport(skip_bad=True)
    folder.prepare(reading=reading)
    assert folder.chosen() == ['a']
    assert len(reading.skipped) == 1
    with pytest.raises(ValueError, match='has no image that'):
        folder.prepare(
            box_filter=BoxFilter(min_area=0.9),
            reading=ReadingReport(skip_bad=True),
        )


@pytest.mark.parametrize(
    ('box', 'message'),
    [
        ((0.5, 0.1, 0.2, 0.8), 'needs x1 < x2'),
        ((0.5, 0.1, 0.8, 0.2), 'needs x1 < x2'),
        ((1.2, 1.4, 0.2, 0.8), 'entirely outside'),
        (('nan', 0.5, 0.2, 0.8), 'needs x1 < x2'),
        (('left', 0.5, 0.2, 0.8), 'must be numbers'),
        ((), 'needs 13 values'),
    ],
)
def test_an_image_goes_with_its_bad_row(folder, box, message):
    folder.add('a', 'cat')
    folder.add('b', 'dog')
    folder.add('b', 'cat', box)
    folder.add('c', 'dog')
    with pytest.raises(AnnotationError, match=rf'csv, line 4: .*{message}'):
        folder.prepare()
    reading = ReadingReport(skip_bad=True)
    report = folder.prepare(reading=reading)
    assert folder.chosen() == ['a', 'c']
    assert report.left_out == 1
    (line,) = reading.skipped
    assert 'csv, line 4: ' in line and message in line
    assert (reading.num_read, reading.num_used) == (4, 3)
    # Where a bad box goes alone, so does a bad row.
    reading = ReadingReport(skip_bad=True)
    box_filter = BoxFilter(drop_images=False)
    folder.prepare(reading=reading, box_filter=box_filter)
    assert folder.chosen() == ['a', 'b', 'c']
    assert len(reading.skipped) == 1


def test_an_image_that_can_not_be_read_is_listed(folder):
    folder.add('a', 'cat')
    folder.add('b', 'cat')
    folder.add('c', 'cat')
    (folder.images / 'b.jpg').write_text('no image')
    with pytest.raises(AnnotationError, match=r'line 3: .*b\.jpg'):
        folder.prepare()
    reading = ReadingReport(skip_bad=True)
    folder.prepare(reading=reading)
    assert folder.chosen() == ['a', 'c']
    (line,) = reading.skipped
    assert 'csv, line 3: ' in line and 'b.jpg: missing or not an image' in line
    assert (reading.num_read, reading.num_used) == (3, 2)


def test_the_tool_lists_what_it_left_out(folder, run_tool_here):
    folder.add('a', 'cat')
    folder.add('b', 'cat', (1.2, 1.4, 0.2, 0.8))
    folder.prepare(reading=ReadingReport(skip_bad=True))
    done = run_tool_here(
        'prepare_dataset.py', 'openimages', folder.csv, folder.descriptions,
        *(folder.images, '--out', folder.root / 'out', '--skip-bad'),
    )  # fmt: skip
    assert done.returncode == 1
    assert 'left out: ' in done.stderr and 'csv, line 3: ' in done.stderr
    assert '2 annotations read: 1 used' in done.stdout


def test_a_flag_without_a_column_is_told(folder):
    folder.add('a', 'cat')
    folder.rows = [row.rpartition(',')[0] for row in folder.rows]
    header = HEADER.removesuffix(',IsInside')
    message = r'boxes\.csv: no column IsInside.*--bad without a'
    with pytest.raises(AnnotationError, match=message):
        folder.prepare(header)
    folder.prepare(header, box_filter=BoxFilter(flags=['group_of']))
    assert folder.chosen() == ['a']
    folder.rows = [row.rpartition(',0,0,0,0')[0] for row in folder.rows]
    header = HEADER.partition(',IsOcc')[0]
    with pytest.raises(AnnotationError, match='no column IsGroupOf'):
        folder.prepare(header)
    folder.prepare(header, box_filter=BoxFilter(flags=[]))
    assert folder.chosen() == ['a']


def test_a_folder_of_other_images_is_left_alone(folder):
    folder.add('a', 'cat')
    (folder.root / 'out/JPEGImages').mkdir(parents=True)
    with pytest.raises(ValueError, match='exists and is not a link to'):
        folder.prepare()


def test_images_that_have_moved_are_found_again(folder):
    folder.add('a', 'cat')
    folder.prepare()
    folder.images = folder.images.rename(folder.root / 'moved')
    folder.prepare()
    assert (folder.root / 'out/JPEGImages/a.jpg').exists()


def test_draws_do_not_keep_what_they_do_not_choose():
    """Of many images of a class five are kept."""
    images = ((f'{i}', {1}) for i in range(100_000))
    assert len(open_images._choose(images, 5, 0)) == 5
