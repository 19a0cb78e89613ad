import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import DATASETS, MODELS
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML, AnnotationError
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.label_maps import read_label_png, write_label_png
from box2seg_mmseg.pseudo_labels import (
    StoreError,
    build_labeler,
    generate_pseudo_labels,
)

METAINFO = dict(classes=('background', *SCENE_CLASSES))


def _config(root, pipeline=()):
    return dict(
        type='BoxSupervisedVOCDataset',
        data_root=str(root),
        ann_file='ImageSets/Segmentation/train.txt',
        metainfo=METAINFO,
        pipeline=list(pipeline),
    )


def _dataset(root, pipeline=(), **kwargs):
    return DATASETS.build(_config(root, pipeline) | kwargs)


PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes', num_classes=6),
    dict(type='GeneratePseudoLabels', labeler=dict(type='GrabCut')),
    dict(type='PackBox2SegInputs'),
]


@pytest.fixture
def labels(tmp_path):
    """A folder of label maps of unknown origin, which only have to exist."""
    folder = tmp_path / 'labels'
    folder.mkdir()
    for i in range(16):
        write_label_png(
            folder / f'train_{i:04d}.png', np.zeros((64, 64), np.uint8)
        )
    return folder


def test_items_have_boxes_and_no_mask(scenes, labels):
    dataset = _dataset(scenes, pseudo_label_dir=labels)
    assert len(dataset) == 16
    item = dataset.get_data_info(0)
    assert item['boxes'].shape == (len(item['box_labels']), 4)
    assert item['pseudo_label_path'] == f'{labels}/train_0000.png'
    assert not any('SegmentationClass' in str(v) for v in item.values())
    assert 'seg_map_path' not in item


def test_masks_and_missing_files_are_refused(scenes):
    with pytest.raises(ValueError, match='remove seg_map_path from'):
        _dataset(
            scenes,
            data_prefix=dict(
                img_path='JPEGImages', seg_map_path='SegmentationClass'
            ),
        )
    with pytest.raises(UsageError, match=r'none\.txt: no such file'):
        _dataset(scenes, ann_file='none.txt')


def test_bad_annotations_can_be_left_out(scenes, tmp_path):
    root = tmp_path / 'copy'
    shutil.copytree(scenes, root)
    (root / 'Annotations/train_0003.xml').write_text('<annotation>')
    with pytest.raises(AnnotationError, match=r'train_0003\.xml: not a read'):
        _dataset(root)
    dataset = _dataset(root, skip_bad=True)
    ids = [Path(item['img_path']).stem for item in dataset]
    assert ids == [f'train_{i:04d}' for i in range(16) if i != 3]


def test_stored_and_on_the_fly_labels_are_the_same(scenes, labels):
    made = _dataset(scenes, PIPELINE)
    labeler = build_labeler(dict(type='GrabCut'))
    for index in range(3):
        item = made.get_data_info(index)
        image = made.pipeline.transforms[0](dict(item))['img']
        write_label_png(
            labels / f'train_{index:04d}.png',
            labeler(image, item['boxes'], item['box_labels']),
        )
    stored = _dataset(
        scenes,
        [*PIPELINE[:2], dict(type='LoadPseudoLabels'), PIPELINE[3]],
        pseudo_label_dir=labels,
    )
    for index in range(3):
        a = made[index]['data_samples'].gt_sem_seg.data
        b = stored[index]['data_samples'].gt_sem_seg.data
        assert a.any() and torch.equal(a, b)


def test_bad_pseudo_labels_are_named(scenes, labels):
    pipeline = [PIPELINE[0], dict(type='LoadPseudoLabels')]
    dataset = _dataset(scenes, pipeline, pseudo_label_dir=labels)
    path = labels / 'train_0000.png'
    write_label_png(path, np.zeros((9, 9), np.uint8))
    with pytest.raises(ValueError, match=r'\(64, 64\).*Got: \(9, 9\)'):
        dataset[0]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r'0000\.png: truncated or corrupt'):
        dataset[0]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'0000\.png: no such pseudo'):
        dataset[0]


def test_missing_labels_are_found_before_the_training(scenes, labels):
    (labels / 'train_0005.png').unlink()
    with pytest.raises(AnnotationError, match=r'train_0005\.png: missing'):
        _dataset(scenes, pseudo_label_dir=labels)
    dataset = _dataset(scenes, pseudo_label_dir=labels, skip_bad=True)
    ids = [Path(item['img_path']).stem for item in dataset]
    assert ids == [f'train_{i:04d}' for i in range(16) if i != 5]


def test_labels_of_other_classes_are_refused(scenes, tmp_path):
    ids = (scenes / 'ImageSets/Segmentation/train.txt').read_text().split()
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='BoxFill')),
        tmp_path / 'made',
        classes=SCENE_CLASSES,
    )
    _dataset(scenes, pseudo_label_dir=tmp_path / 'made')
    swapped = ['background', *SCENE_CLASSES[1::-1], *SCENE_CLASSES[2:]]
    with pytest.raises(StoreError, match=r"class 1 was 'disk' and is now 'ri"):
        _dataset(
            scenes,
            pseudo_label_dir=tmp_path / 'made',
            metainfo=dict(classes=swapped),
        )


def test_the_background_comes_first(scenes):
    with pytest.raises(ValueError, match=r"must be 'background'.*'disk'"):
        _dataset(scenes, [], metainfo=dict(classes=('disk', 'ring')))


def test_the_classes_may_be_in_a_file(scenes, tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('\n'.join(['background', *SCENE_CLASSES]))
    dataset = _dataset(scenes, metainfo=dict(classes=str(path)))
    assert dataset.metainfo['classes'] == ('background', *SCENE_CLASSES)


def test_a_zero_label_cannot_be_reduced(scenes):
    with pytest.raises(ValueError, match='remove reduce_zero_label'):
        _dataset(scenes, reduce_zero_label=True)


def test_packed_samples_go_through_the_stock_preprocessor(scenes):
    """Images of unequal size: the head pads the box maps, see its tests."""
    crops = [dict(type='RandomCrop', crop_size=(h, 40)) for h in (30, 50)]
    batch = dict(inputs=[], data_samples=[])
    for crop in crops:
        dataset = _dataset(scenes, [*PIPELINE[:3], crop, PIPELINE[3]])
        packed = dataset[0]
        sample = packed['data_samples']
        regions = sample.gt_box_regions
        assert regions.map.shape == sample.gt_sem_seg.shape
        assert regions.map.dtype == torch.uint8
        assert len(regions.labels) == regions.table.shape[1]
        batch['inputs'].append(packed['inputs'])
        batch['data_samples'].append(sample)
    preprocessor = MODELS.build(
        dict(type='SegDataPreProcessor', size_divisor=32)
    )
    done = preprocessor(batch, training=True)
    assert done['inputs'].shape == (2, 3, 64, 64)
    first = done['data_samples'][0].gt_sem_seg.data
    assert (first[:, 30:] == 255).all() and (first[:, :30, :40] != 255).all()


def test_mixed_images_are_refused(scenes):
    """Even if the mosaic of images of 64 px is of that size."""
    mosaic = dict(type='RandomMosaic', prob=1.0, img_scale=(32, 32))
    dataset = DATASETS.build(
        dict(
            type='MultiImageMixDataset',
            dataset=_config(scenes, PIPELINE[:3]),
            pipeline=[mosaic, PIPELINE[3]],
        )
    )
    with pytest.raises(ValueError, match='remove RandomMosaic'):
        dataset[0]


def test_boxes_from_another_folder(scenes, tmp_path):
    for path in (scenes / 'Annotations').glob('*.xml'):
        text = path.read_text().replace('<xmin>', '<xmin>0')
        (tmp_path / path.name).write_text(text)
    moved = _dataset(scenes, box_dir=str(tmp_path))
    assert len(moved) == 16
    (tmp_path / 'train_0000.xml').unlink()
    with pytest.raises(AnnotationError, match='train_0000'):
        _dataset(scenes, box_dir=str(tmp_path))


def test_some_images_have_their_masks(scenes, labels, tmp_path):
    split = tmp_path / 'few.txt'
    split.write_text('train_0001\ntrain_0003\nelsewhere\n')
    dataset = _dataset(
        scenes, pseudo_label_dir=labels, mask_ann_file=str(split)
    )
    paths = [item['pseudo_label_path'] for item in dataset]
    masks = [path for path in paths if 'SegmentationClass' in path]
    assert masks == [
        str(scenes / f'SegmentationClass/train_000{i}.png') for i in (1, 3)
    ]
    assert paths[0] == f'{labels}/train_0000.png'
    with pytest.raises(UsageError, match=r'none\.txt: no such file'):
        _dataset(scenes, mask_ann_file='none.txt')


@pytest.mark.parametrize(('masked', 'others'), [(2, 14), (5, 11), (12, 4)])
def test_images_with_masks_are_about_half(scenes, tmp_path, masked, others):
    few = tmp_path / 'few.txt'
    few.write_text('\n'.join(f'train_{i:04d}' for i in range(masked)))
    dataset = _dataset(scenes, mask_ann_file=str(few), balance_masks=True)
    counts = Counter(Path(item['img_path']).stem for item in dataset)
    times = {2: 7, 5: 2, 12: 1}[masked]  # 14 / 2, 11 / 5 and 4 / 12
    assert [counts[f'train_{i:04d}'] for i in range(16)] == (
        [times] * masked + [1] * others
    )
    masks = sum('pseudo_label_path' in item for item in dataset)
    assert masks == times * masked


def _generating(labeler):
    return [*PIPELINE[:2], dict(type='GeneratePseudoLabels', labeler=labeler)]


def test_generated_labels_leave_masks_as_they_are(scenes, tmp_path):
    (tmp_path / 'masked.txt').write_text('train_0001')
    dataset = _dataset(
        scenes,
        _generating(dict(type='BoxFill')),
        mask_ann_file=str(tmp_path / 'masked.txt'),
    )
    mask = read_label_png(scenes / 'SegmentationClass/train_0001.png', 254)
    np.testing.assert_array_equal(dataset[1]['gt_seg_map'], mask)
    filled = build_labeler(dict(type='BoxFill'))
    item = dataset[0]
    want = filled(item['img'], item['boxes'], item['box_labels'])
    np.testing.assert_array_equal(item['gt_seg_map'], want)


def test_generated_labels_can_follow_stored_edges(scenes, tmp_path):
    (tmp_path / 'one.txt').write_text('train_0001')
    labeler = dict(type='GrabCutPlus', edge_dir=str(tmp_path))
    dataset = _dataset(
        scenes,
        _generating(labeler),
        ann_file=str(tmp_path / 'one.txt'),
    )
    Image.new('L', (64, 64)).save(tmp_path / 'train_0001.png')
    assert dataset[0]['gt_seg_map'].shape == (64, 64)
