"""BoxSupervisedDataset with every box source, also one from user code."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml
from mmseg.registry import DATASETS
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML, AnnotationError
from box2seg_mmseg.errors import UsageError

SPLIT = 'ImageSets/Segmentation/train.txt'
METAINFO = dict(classes=('background', *SCENE_CLASSES))


def _dataset(root, source, **kwargs):
    cfg = dict(
        type='BoxSupervisedDataset',
        data_root=str(root),
        ann_file=SPLIT,
        box_source=source,
        metainfo=METAINFO,
        pipeline=[],
    )
    return DATASETS.build(dict(cfg, **kwargs))


@pytest.fixture(scope='module')
def annotations(scenes):
    ids = (scenes / SPLIT).read_text().split()
    return list(VOCXML(scenes, SCENE_CLASSES).read(ids))


@pytest.fixture(scope='module')
def root(scenes, annotations, tmp_path_factory):
    """The rendered scenes with their boxes in every format."""
    root = tmp_path_factory.mktemp('formats')
    for name in ('JPEGImages', 'Annotations', 'ImageSets'):
        (root / name).symlink_to(scenes / name)
    (root / 'images').mkdir()
    (root / 'images/train').symlink_to(scenes / 'JPEGImages')
    (root / 'labels/train').mkdir(parents=True)
    (root / 'detections').mkdir()
    (root / 'flat').mkdir()
    images, found, rows = [], [], ['ImageID,LabelName,XMin,XMax,YMin,YMax']
    for number, item in enumerate(annotations):
        height, width = item.size
        name = f'{item.image_id}.jpg'
        images.append(
            dict(id=number, file_name=name, width=width, height=height)
        )
        lines = []
        for label, (x1, y1, x2, y2) in zip(
            item.labels.tolist(), item.boxes.tolist(), strict=True
        ):
            bbox = [x1, y1, x2 - x1, y2 - y1]
            found.append(
                dict(image_id=number, category_id=label, bbox=bbox, score=1)
            )
            shares = x1 / width, x2 / width, y1 / height, y2 / height
            code = f'/m/{SCENE_CLASSES[label - 1]}'
            rows.append(','.join(map(str, (item.image_id, code, *shares))))
            lines.append(
                f'{label - 1} {sum(shares[:2]) / 2} {sum(shares[2:]) / 2} '
                f'{shares[1] - shares[0]} {shares[3] - shares[2]}'
            )
        for folder in ('labels/train', 'flat'):
            path = root / folder / f'{item.image_id}.txt'
            path.write_text('\n'.join(lines))
        (root / 'flat' / name).symlink_to(item.image_path)
    names = list(enumerate(SCENE_CLASSES, start=1))
    index = dict(
        images=images,
        annotations=found,
        categories=[dict(id=i, name=name) for i, name in names],
    )
    (root / 'boxes.json').write_text(json.dumps(index))
    (root / 'detections/images.json').write_text(json.dumps(index))
    (root / 'detections/found.json').write_text(json.dumps(found))
    (root / 'a-annotations-bbox.csv').write_text('\n'.join(rows))
    (root / 'class-descriptions.csv').write_text(
        '\n'.join(f'/m/{name},{name}' for name in SCENE_CLASSES)
    )
    (root / 'data.yaml').write_text(
        yaml.safe_dump(dict(names=list(SCENE_CLASSES), train='images/train'))
    )
    return root


@pytest.mark.parametrize(
    ('source', 'more'),
    [
        (dict(type='VOCXML'), {}),
        (dict(type='COCOJSON'), {}),
        (dict(type='OpenImagesCSV'), {}),
        (dict(type='Detections', score_threshold=0.9), {}),
        (dict(type='YOLOTxt', image_dir='images/train'), {}),
        # Text files beside images that are in no folder named images.
        (dict(type='YOLOTxt'), dict(data_prefix=dict(img_path='flat'))),
    ],
)
def test_all_formats_give_the_same_items(root, annotations, source, more):
    dataset = _dataset(root, source, **more)
    items = {
        item['img_path'].rpartition('/')[2]: item
        for item in (dataset.get_data_info(i) for i in range(len(dataset)))
    }
    assert len(items) == len(annotations) == 16
    for want in annotations:
        item = items[f'{want.image_id}.jpg']
        np.testing.assert_allclose(item['boxes'], want.boxes, atol=1e-4)
        np.testing.assert_array_equal(item['box_labels'], want.labels)
        assert tuple(item['annotated_size']) == tuple(want.size)
        assert item['num_classes'] == 6
        assert 'pseudo_label_path' not in item


def test_a_split_and_classes_from_data_yaml(root, annotations):
    dataset = _dataset(
        root, dict(type='YOLOTxt'), ann_file='train', metainfo=None
    )
    assert dataset.metainfo['classes'] == METAINFO['classes']
    assert len(dataset.metainfo['palette']) == 6
    # The scenes of the other split have no text file, so no box.
    boxed = [item for item in dataset if len(item['boxes'])]
    assert len(boxed) == 16
    for item, want in zip(boxed, annotations, strict=True):
        assert item['img_path'].endswith(f'images/train/{want.image_id}.jpg')
        np.testing.assert_allclose(item['boxes'], want.boxes, atol=1e-4)


def test_some_of_the_classes_of_voc_xml(root, annotations):
    classes = ('background', 'star', 'disk')
    dataset = _dataset(
        root, dict(type='VOCXML'), metainfo=dict(classes=classes)
    )
    assert len(dataset) == 16
    for item, want in zip(dataset, annotations, strict=True):
        names = [SCENE_CLASSES[label - 1] for label in want.labels]
        kept = [classes.index(n) for n in names if n in classes]
        assert item['box_labels'].tolist() == kept
        assert item['num_classes'] == 3


def test_a_training_without_any_box_is_refused(root):
    """Where all would be background, which the user did not mean."""
    with pytest.raises(AnnotationError, match='has a box of the classes cat'):
        _dataset(
            root,
            dict(type='VOCXML'),
            metainfo=dict(classes=('background', 'cat')),
        )
    with pytest.raises(AnnotationError, match='score threshold leaves none'):
        found = root / 'detections/found.json'
        low = [dict(d, score=0.1) for d in json.loads(found.read_text())]
        (root / 'low.json').write_text(json.dumps(low))
        _dataset(root, dict(type='Detections', box_file='low.json'))


def test_more_classes_than_a_label_map_holds_are_refused(root):
    classes = ['background', *SCENE_CLASSES, *map(str, range(250))]
    with pytest.raises(ValueError, match=r'255 classes; .* at most 254'):
        _dataset(root, dict(type='VOCXML'), metainfo=dict(classes=classes))
    _dataset(root, dict(type='VOCXML'), metainfo=dict(classes=classes[:-1]))


def test_images_may_not_be_named_twice(root, tmp_path):
    split = tmp_path / 'split.txt'
    split.write_text('train_0000\ntrain_0000\n')
    with pytest.raises(ValueError, match='names train_0000 more than once'):
        _dataset(root, dict(type='VOCXML'), ann_file=str(split))


def test_masks_of_all_images_need_no_pseudo_labels(scenes):
    dataset = _dataset(scenes, dict(type='VOCXML'), mask_ann_file=SPLIT)
    paths = [item['pseudo_label_path'] for item in dataset]
    ids = (scenes / SPLIT).read_text().split()
    assert paths == [
        str(scenes / f'SegmentationClass/{image_id}.png') for image_id in ids
    ]


def test_ground_truth_never_comes_as_a_pseudo_label(scenes, monkeypatch):
    monkeypatch.chdir(scenes)
    for folder in (str(scenes / 'SegmentationClass'), './SegmentationClass'):
        with pytest.raises(ValueError, match='remove pseudo_label_dir and'):
            _dataset(scenes, dict(type='VOCXML'), pseudo_label_dir=folder)
    for key in ('seg_map_path', 'box_path'):
        prefix = {'img_path': 'JPEGImages', key: 'SegmentationClass'}
        with pytest.raises(ValueError, match=f'remove {key} from data_prefi'):
            _dataset(scenes, dict(type='VOCXML'), data_prefix=prefix)


def test_an_image_without_label_and_mask_is_named(scenes, tmp_path):
    few = tmp_path / 'few.txt'
    few.write_text('train_0000\n')
    dataset = _dataset(
        scenes,
        dict(type='VOCXML'),
        mask_ann_file=str(few),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadPseudoLabels'),
        ],
    )
    assert dataset[0]['gt_seg_map'].shape == (64, 64)
    with pytest.raises(FileNotFoundError, match=r'0001\.jpg: has neither a'):
        dataset[1]


def test_wrong_sources_are_explained(root):
    with pytest.raises(ValueError, match=r'box source: .*VOCXML'):
        _dataset(root, dict(xml_dir='Annotations'))
    with pytest.raises(TypeError, match='xml_dir'):
        _dataset(root, dict(type='COCOJSON', xml_dir='Annotations'))
    with pytest.raises(UsageError, match=r'none\.json: no such file'):
        _dataset(root, dict(type='COCOJSON', box_file='none.json'))


CONFIG = """
custom_imports = dict(imports=['box2seg_mmseg', 'my_boxes'])
dataset = dict(
    type='BoxSupervisedDataset', data_root={root!r}, ann_file={split!r},
    box_source=dict(type='WholeImage', border=3),
    metainfo=dict(classes=['background', 'cat', 'dog']), pipeline=[])
"""
SCRIPT = """
import mmseg.datasets
from mmengine.config import Config
from mmseg.registry import DATASETS
dataset = DATASETS.build(Config.fromfile('config.py').dataset)
print([(i['boxes'].tolist(), i['box_labels'].tolist()) for i in dataset])
"""


@pytest.mark.slow
def test_a_box_source_of_user_code_works_from_a_config(
    user_format, scenes, tmp_path
):
    config = CONFIG.format(root=str(scenes), split=SPLIT)
    (tmp_path / 'config.py').write_text(config)
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    item = ([[3.0, 3.0, 61.0, 61.0]], [2])
    assert done.stdout.strip().endswith(str([item] * 16))
