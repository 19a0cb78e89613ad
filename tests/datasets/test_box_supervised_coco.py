import numpy as np
import pytest
from mmseg.registry import DATASETS

from box2seg_mmseg.boxes import COCOJSON
from box2seg_mmseg.errors import UsageError

CLASSES = ('background', 'cat', 'dog')


def _dataset(root, **kwargs):
    cfg = dict(
        type='BoxSupervisedCOCODataset',
        data_root=str(root),
        ann_file='train.txt',
        pipeline=[],
    )
    return DATASETS.build(dict(cfg, **kwargs))


def test_items_are_what_the_reader_reads(data_dir):
    root = data_dir / 'coco-mini'
    labels = root / 'SegmentationClass'
    dataset = _dataset(root, pseudo_label_dir=labels, mask_dir='none')
    ids = (root / 'train.txt').read_text().split()
    assert len(dataset) == len(ids) == 137
    want = COCOJSON(root).read(ids)
    for i, annotations in enumerate(want):
        item = dataset.get_data_info(i)
        np.testing.assert_array_equal(item['boxes'], annotations.boxes)
        np.testing.assert_array_equal(item['box_labels'], annotations.labels)
        assert item['img_path'] == annotations.image_path
        assert item['pseudo_label_path'] == str(labels / f'{ids[i]}.png')


def test_some_of_the_classes(data_dir):
    dataset = _dataset(data_dir / 'coco-mini', metainfo=dict(classes=CLASSES))
    labels = [set(item['box_labels'].tolist()) for item in dataset]
    assert set().union(*labels) == {1, 2}


def test_a_missing_file_is_named(data_dir):
    with pytest.raises(UsageError, match=r'none\.json: no such file'):
        _dataset(data_dir / 'coco-mini', box_file='none.json')
