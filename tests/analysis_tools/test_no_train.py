from dataclasses import replace

import numpy as np
import pytest
from label_cost import measure_growth, measure_labels
from no_train import evaluate_no_train
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML, select_detections
from box2seg_mmseg.evaluation import evaluate_label_folders
from box2seg_mmseg.images import ImageError
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

CLASSES = ('background', *SCENE_CLASSES)
IDS = [f'val_{i:04d}' for i in range(4)]
GRABCUT = dict(type='GrabCut')


@pytest.fixture
def boxes(scenes):
    return list(VOCXML(scenes, SCENE_CLASSES).read(IDS))


@pytest.mark.parametrize('workers', [1, 2])
def test_thresholds_give_what_labels_on_disk_give(
    scenes, boxes, tmp_path, workers
):
    rng = np.random.default_rng(0)
    detections = [
        replace(item, scores=rng.random(len(item.boxes), np.float32))
        for item in boxes
    ]
    thresholds, masks = [0.0, 0.4, 0.8], scenes / 'SegmentationClass'
    reports = evaluate_no_train(
        detections,
        build_labeler(GRABCUT),
        masks,
        CLASSES,
        thresholds,
        workers=workers,
    )
    for threshold, report in zip(thresholds, reports, strict=True):
        folder = tmp_path / str(threshold)
        kept = [select_detections(item, threshold) for item in detections]
        generate_pseudo_labels(kept, build_labeler(GRABCUT), folder)
        assert report == evaluate_label_folders(folder, masks, IDS, CLASSES)
    assert len({report['mIoU'] for report in reports}) == 3


def test_annotated_boxes_have_no_threshold(scenes, boxes, tmp_path):
    masks = scenes / 'SegmentationClass'
    labeler = build_labeler(dict(type='BoxFill'))
    (report,) = evaluate_no_train(boxes, labeler, masks, CLASSES, [0.9])
    generate_pseudo_labels(boxes, labeler, tmp_path)
    assert report == evaluate_label_folders(tmp_path, masks, IDS, CLASSES)
    gone = replace(boxes[0], image_path='gone.jpg')
    with pytest.raises(ImageError, match=r'gone\.jpg: missing'):
        evaluate_no_train([gone], labeler, masks, CLASSES)


def test_the_fast_labels_are_the_same(scenes, boxes):
    masks = scenes / 'SegmentationClass'
    stock, fast, other = (
        measure_labels(boxes, build_labeler(config), masks, CLASSES)
        for config in (
            dict(GRABCUT, backend='opencv'),
            GRABCUT,
            dict(type='BoxFill'),
        )
    )
    assert fast.identical(stock) == 1 and fast.miou == stock.miou
    assert other.identical(stock) == 0 and other.miou < stock.miou
    for cost in (stock, fast, other):
        assert cost.images_per_second > 0 and cost.cpu_seconds > 0


def test_growth_is_measured_at_each_size(boxes):
    rows = measure_growth(boxes[:1], [40, 60])
    assert [(r.side, r.scaled) for r in rows] == [
        (40, False),
        (60, False),
        (40, True),
        (60, True),
    ]
    assert all(r.opencv > 0 and r.numba > 0 for r in rows)
