import numpy as np
import pytest
from mmcv.transforms import Compose

from box2seg_mmseg.boxes import BoxCrop
from box2seg_mmseg.datasets import CropBox


def _results():
    label = np.zeros((40, 60), np.uint8)
    label[10:30, 20:40] = 3
    label[10:30, 40:44] = 5  # another object, in part in the box
    label[25:30, 20:40] = 255
    label[0:5, 0:60] = 3  # the same class outside the box
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    return dict(
        img=image,
        gt_seg_map=label,
        box=np.array([20, 10, 42, 30], np.float32),
        box_label=3,
        seg_fields=['gt_seg_map'],
    )


def test_the_label_keeps_the_object_of_the_box_alone():
    before = _results()
    after = CropBox(side=80, margin=0.5)(_results())
    only = np.zeros((40, 60), np.uint8)
    only[10:25, 20:40] = 1
    only[25:30, 20:40] = 255
    crop = BoxCrop((20, 10, 42, 30), (40, 60), 80, 0.5)
    assert np.array_equal(after['gt_seg_map'], crop.label(only))
    assert np.array_equal(after['img'], crop.image(before['img']))
    assert after['img_shape'] == after['ori_shape'] == (80, 80)


def test_jitter_moves_the_box_that_the_network_sees_and_not_the_object():
    np.random.seed(0)
    step = CropBox(80, 0.5, jitter=0.2)
    starts = []
    for _ in range(20):
        crop = step(_results())
        box = np.flatnonzero(crop['img'][40, :, 3] < 128)
        seen = np.flatnonzero(crop['gt_seg_map'][40] == 1)
        starts.append(seen[0] - box[0])  # the object's on the box's side
    # By up to 0.2 of 22 px, of which the crop's 80 px show about 44.
    assert min(starts) < -3 and max(starts) > 3
    assert np.abs(starts).max() <= np.ceil(0.2 * 22 * 80 / 30) + 1
    exact = CropBox(80, 0.5)(_results())
    seen = np.flatnonzero(exact['gt_seg_map'][40] == 1)
    box = np.flatnonzero(exact['img'][40, :, 3] < 128)
    assert abs(seen[0] - box[0]) <= 1  # rounding


def test_boxes_at_the_border_of_the_image_stay_in_it():
    results = _results() | dict(box=np.array([0, 0, 60, 1.0]))
    for _ in range(10):
        crop = CropBox(16, jitter=0.49)(dict(results))
        assert crop['img'].shape == (16, 16, 4)
        assert set(np.unique(crop['gt_seg_map'])) <= {0, 1}


def test_the_pipeline_packs_four_channels():
    pipeline = Compose(
        [
            dict(type='CropBox', side=32),
            dict(type='RandomFlip', prob=1.0),
            dict(type='SegRescale', scale_factor=0.5),
            dict(type='PackSegInputs', meta_keys=()),
        ]
    )
    packed = pipeline(_results())
    plain = CropBox(32)(_results())
    flipped = plain['img'][:, ::-1].transpose(2, 0, 1)
    assert np.array_equal(packed['inputs'].numpy(), flipped)
    assert packed['data_samples'].gt_sem_seg.data.shape == (1, 16, 16)


def test_bad_jitter_is_named():
    with pytest.raises(ValueError, match=r'jitter must be .*Got: 0\.5'):
        CropBox(jitter=0.5)
