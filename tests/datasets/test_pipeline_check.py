import mmseg.datasets.transforms
import pytest
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmseg.registry import TRANSFORMS

import box2seg_mmseg  # noqa: F401, registers the transforms
from box2seg_mmseg.datasets.pipeline_check import check_pipeline

IMAGE = dict(type='LoadImageFromFile')
BOXES = dict(type='LoadBoxes')
LABELS = dict(type='LoadPseudoLabels')
FLIP = dict(type='RandomFlip', prob=0.5)
MMCV_FLIP = dict(type='mmcv.RandomFlip', prob=0.5)
LOADERS = [IMAGE, BOXES, LABELS]


def _check(*steps):
    with DefaultScope.overwrite_default_scope('mmseg'):
        check_pipeline(Compose(steps).transforms)


@pytest.mark.parametrize(
    'steps',
    [
        LOADERS,
        [IMAGE, LABELS, BOXES, FLIP],
        [
            *LOADERS,
            dict(type='RandomApply', transforms=[FLIP]),
            dict(type='RandomChoice', transforms=[[FLIP], []]),
            dict(type='RandomRotate', prob=1.0, degree=10),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackBox2SegInputs'),
        ],
    ],
)
def test_what_changes_all_maps_alike_passes(steps):
    _check(*steps)


@pytest.mark.parametrize(
    ('steps', 'message'),
    [
        ([IMAGE, FLIP, BOXES, LABELS], 'RandomFlip .* directly behind'),
        ([IMAGE, BOXES, FLIP, LABELS], 'RandomFlip .* directly behind'),
        ([IMAGE, LABELS, FLIP, BOXES], 'RandomFlip .* directly behind'),
        (
            [
                IMAGE,
                dict(type='RandomApply', transforms=[FLIP]),
                BOXES,
            ],
            'RandomApply .* directly behind',
        ),
        ([*LOADERS, MMCV_FLIP], r"mmcv's.*use mmseg's.*'RandomFlip'"),
        (
            [*LOADERS, dict(type='RandomApply', transforms=[MMCV_FLIP])],
            "mmcv's",
        ),
        (
            [
                *LOADERS,
                dict(type='RandomChoice', transforms=[[], [MMCV_FLIP]]),
            ],
            "mmcv's",
        ),
        (
            [*LOADERS, dict(FLIP, swap_seg_labels=((1, 2),))],
            'remove it',
        ),
        (
            [IMAGE, BOXES, dict(type='LoadAnnotations')],
            'replace it with LoadPseudoLabels',
        ),
        (
            [*LOADERS, dict(type='RandomRotFlip')],
            'use RandomRotate and RandomFlip',
        ),
    ],
)
def test_what_leaves_boxes_or_labels_behind_is_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        _check(*steps)


def test_transforms_of_other_packages_pass():
    @TRANSFORMS.register_module(force=True)
    class LoadMore(BaseTransform):
        def transform(self, results):
            return results

    _check(IMAGE, dict(type='LoadMore'), BOXES)


def test_albu_must_change_the_boxes(monkeypatch):
    """albumentations need not be installed."""

    class Stub:
        def __init__(self, *args, **kwargs):
            pass

    module = mmseg.datasets.transforms.transforms
    monkeypatch.setattr(module, 'ALBU_INSTALLED', True)
    monkeypatch.setattr(module, 'Compose', Stub, raising=False)
    albu = dict(type='Albu', transforms=[dict(type=Stub)])
    with pytest.raises(ValueError, match='additional_targets=dict'):
        _check(*LOADERS, albu)
    _check(*LOADERS, dict(albu, additional_targets=dict(gt_box_map='mask')))
