import numpy as np

from box2seg_mmseg.datasets import MergeClasses


def test_every_class_becomes_one():
    label = np.array([[0, 1, 20], [255, 7, 0]], np.uint8)
    results = MergeClasses()(
        dict(gt_seg_map=label, box_labels=np.array([3, 20]))
    )
    assert results['gt_seg_map'].tolist() == [[0, 1, 1], [255, 1, 0]]
    assert results['gt_seg_map'].dtype == np.uint8
    assert results['box_labels'].tolist() == [1, 1]
    assert label[0, 2] == 20, 'the map that was read stays'
    assert MergeClasses()({}) == {}
