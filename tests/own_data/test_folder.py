import json

import numpy as np
import pytest
from own_data.folder import find_own_data
from PIL import Image

from box2seg_mmseg.boxes import AnnotationError, BoxAnnotations, write_voc_xml
from box2seg_mmseg.errors import UsageError

CLASSES = ('mug', 'plate')


@pytest.fixture
def root(tmp_path):
    """Four photographs, without boxes."""
    return add_images(tmp_path / 'photos', 'JPEGImages', 'abcd')


def add_images(root, folder, names, suffix='.jpg'):
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new('RGB', (20, 10)).save(root / folder / f'{name}{suffix}')
    return root


def add_voc(root, names='abc'):
    (root / 'Annotations').mkdir(exist_ok=True)
    for i, name in enumerate(names):
        item = BoxAnnotations(
            name,
            f'{name}.jpg',
            (10, 20),
            np.array([[1, 1, 9, 9]], np.float32),
            np.array([1 + i % 2]),
        )
        write_voc_xml(root / f'Annotations/{name}.xml', item, CLASSES)


def add_coco(root, name='boxes.json', names='abc', suffix='.jpg'):
    content = dict(
        images=[
            dict(id=i, file_name=f'{n}{suffix}', width=20, height=10)
            for i, n in enumerate(names)
        ],
        annotations=[],
        # In COCO's order, which is not the alphabet's.
        categories=[dict(id=3, name='plate'), dict(id=5, name='mug')],
    )
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(json.dumps(content))


def add_yolo(root, train='images/train'):
    (root / 'data.yaml').write_text(
        f'path: .\ntrain: {train}\nval: images/val\nnames:\n  0: mug\n'
        '  1: plate\n'
    )


def add_open_images(root):
    (root / 'a-annotations-bbox.csv').write_text(
        'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n'
        'a,x,/m/1,1,0,1,0,1\na,x,/m/2,1,0,1,0,1\nc,x,/m/1,1,0,1,0,1\n'
    )


def test_voc(root):
    add_voc(root)
    data = find_own_data(root)
    assert (data.format, data.box_file) == ('voc', None)
    assert (data.image_dir, data.image_suffixes) == ('JPEGImages', ('.jpg',))
    assert data.classes == CLASSES  # those of the boxes, sorted
    assert data.image_ids == ('a', 'b', 'c')  # d has no boxes
    assert not data.split.exists() and not data.class_file.exists()


def test_coco(root):
    add_coco(root, 'annotations/train.json', suffix='.png')
    add_coco(root, 'annotations/train.json')
    (root / 'settings.json').write_text('{}')  # not a COCO file
    data = find_own_data(root)
    assert data.format == 'coco'
    assert data.box_file == root / 'annotations/train.json'
    assert data.classes == ('plate', 'mug')
    assert data.image_ids == ('a', 'b', 'c')


def test_suffixes_may_differ_where_the_annotations_name_files(root):
    add_images(root, 'JPEGImages', 'e', '.png')
    add_coco(root, names='abe')
    data = find_own_data(root)
    assert data.image_suffixes == ('.jpg', '.png')
    assert data.image_ids == ('a', 'b', 'e')
    data = find_own_data(root, image_suffix='png')
    assert (data.image_suffixes, data.image_ids) == (('.png',), ('e',))


@pytest.mark.parametrize(
    ('train', 'image_dir', 'ids'),
    [
        ('images/train', 'images', ('train/a', 'train/b')),
        ('../train/images', 'train/images', ('a', 'b')),
    ],
)
def test_yolo(tmp_path, train, image_dir, ids):
    folder = train.removeprefix('../')
    root = add_images(tmp_path / 'photos', folder, 'ab', '.png')
    add_yolo(root, train)
    data = find_own_data(root)
    assert (data.format, data.box_file) == ('yolo', root / 'data.yaml')
    assert (data.image_dir, data.image_suffixes) == (image_dir, ('.png',))
    assert (data.classes, data.image_ids) == (CLASSES, ids)


def test_open_images_needs_classes(root):
    add_open_images(root)
    with pytest.raises(UsageError, match='--classes'):
        find_own_data(root)
    (root / 'classes.txt').write_text('mug\n')
    data = find_own_data(root)
    assert (data.format, data.classes) == ('openimages', ('mug',))
    assert data.image_ids == ('a', 'c')


def test_the_folders_own_lists_are_kept(root):
    add_voc(root)
    (root / 'classes.txt').write_text('plate\nmug\n')
    (root / 'train.txt').write_text('b\n')
    data = find_own_data(root)
    assert (data.classes, data.image_ids) == (('plate', 'mug'), ('b',))


def test_no_image_to_validate_on_is_trained_on(root):
    add_voc(root)
    (root / 'val.txt').write_text('b\nd\n')
    assert find_own_data(root).image_ids == ('a', 'c')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('b.jpg\nd.jpg\n', r'val\.txt: 2 of 2 lines .* Got: b\.jpg'),
        ('b\nx\nd\n', r'val\.txt: 1 of 3 lines .* Got: x'),
        ('\ufeffb\n', 'without a byte order mark'),
    ],
)
def test_a_list_to_validate_on_must_name_images(root, text, message):
    add_voc(root)
    (root / 'val.txt').write_text(text, 'utf-8')
    with pytest.raises(UsageError, match=message):
        find_own_data(root)


def test_the_test_set_has_the_suffix_of_its_own_images(root):
    add_images(root, 'JPEGImages', 'ef', '.png')
    add_coco(root, names='abef')
    assert find_own_data(root).test_suffix is None
    for names, suffix in (('ab', '.jpg'), ('ef', '.png'), ('be', None)):
        (root / 'val.txt').write_text('\n'.join(names))
        assert find_own_data(root).test_suffix == suffix


def test_empty_names_of_objects_are_no_class(root):
    add_voc(root)
    path = root / 'Annotations/b.xml'
    path.write_text(path.read_text().replace('plate', ' '))
    assert find_own_data(root).classes == ('mug',)


def test_spaces_around_category_names_do_not_matter(root):
    add_coco(root)
    path = root / 'boxes.json'
    path.write_text(path.read_text().replace('mug', 'mug '))
    assert find_own_data(root).classes == ('plate', 'mug')
    path.write_text(path.read_text().replace('plate', ' '))
    with pytest.raises(UsageError, match='class 1 has an empty name'):
        find_own_data(root)


def _two_formats(root):
    add_voc(root)
    add_coco(root)


def _two_files(root):
    add_coco(root)
    add_coco(root, 'more.json')


def _two_suffixes(root):
    add_images(root, 'JPEGImages', 'c', '.png')
    add_voc(root)


def _two_folders(root):
    add_voc(root)
    (root / 'images').mkdir()


def _a_split_elsewhere(root):
    add_voc(root)
    (root / 'ImageSets/Main').mkdir(parents=True)
    (root / 'ImageSets/Main/train.txt').write_text('a\n')


def _no_image_fits(root):
    add_voc(root, 'xy')


@pytest.mark.parametrize(
    ('prepare', 'option', 'found', 'value'),
    [
        (_two_formats, 'format', 'Found: voc, coco', 'voc'),
        (_two_files, 'boxes', 'more.json', 'more.json'),
        (_two_suffixes, 'image_suffix', 'Found: .jpg, .png', 'jpg'),
        (_two_folders, 'image_dir', 'Found: JPEGImages, images', 'JPEGImages'),
        (_no_image_fits, 'image_dir', 'such as x', None),
        (_a_split_elsewhere, 'split', 'Main/train.txt', 'Main/train.txt'),
    ],
)
def test_what_is_unclear_names_the_option(root, prepare, option, found, value):
    prepare(root)
    with pytest.raises(UsageError) as error:
        find_own_data(root)
    text = str(error.value)
    assert f'--{option.replace("_", "-")}' in text and found in text
    if value is not None:
        if option == 'split':
            value = root / 'ImageSets' / value
        find_own_data(root, **{option: value})


def test_a_folder_without_boxes_is_refused(root):
    with pytest.raises(UsageError, match='no boxes in a known format'):
        find_own_data(root)
    with pytest.raises(UsageError, match='no such folder'):
        find_own_data(root / 'absent')


def test_a_broken_file_is_named(root):
    add_voc(root)
    (root / 'Annotations/b.xml').write_text('<annotation>')
    with pytest.raises(AnnotationError, match=r'b\.xml'):
        find_own_data(root)
    (root / 'data.yaml').write_text('train: images/train\n')
    with pytest.raises(AnnotationError, match=r'data\.yaml'):
        find_own_data(root, format='yolo')


def test_other_files_beside_the_boxes_do_no_harm(root):
    add_voc(root)
    (root / 'metadata.json').write_text('{"a": 1}\n{"a": 2}\n')
    # As macOS writes them on other disks.
    (root / 'Annotations/._a.xml').write_bytes(b'\0\5\26\7')
    (root / 'JPEGImages/._x.png').write_bytes(b'\0\5\26\7')
    (root / 'val.txt').write_text('._x\n')
    with pytest.raises(UsageError, match=r'Got: \._x'):
        find_own_data(root)
    (root / 'val.txt').unlink()
    assert find_own_data(root).image_ids == tuple('abc')
    (root / 'boxes.json').write_text('{"images": [], "annotations": [')
    with pytest.raises(AnnotationError, match=r'boxes\.json: not a readable'):
        find_own_data(root)


def test_a_list_of_paths_is_no_list_of_ids(tmp_path):
    root = add_images(tmp_path / 'photos', 'images', 'ab')
    add_yolo(root, train='train.txt')
    (root / 'train.txt').write_text('./images/a.jpg\n./images/b.jpg\n')
    with pytest.raises(UsageError, match=r'train\.txt: names no image in .*a'):
        find_own_data(root)


def test_annotated_images_elsewhere_are_named(root):
    add_coco(root, names=['images/a', 'images/b'])
    with pytest.raises(UsageError, match=r'such as images/a; give --image-d'):
        find_own_data(root)


def test_the_background_is_no_class_to_train(root):
    add_voc(root)
    (root / 'classes.txt').write_text('background\ncat\n')
    with pytest.raises(UsageError, match=r'classes\.txt: must not name the b'):
        find_own_data(root)
