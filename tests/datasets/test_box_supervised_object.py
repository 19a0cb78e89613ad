import numpy as np

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.datasets import BoxSupervisedObjectDataset


def test_one_item_for_each_box(scenes):
    from rendered_scenes import SCENE_CLASSES

    dataset = BoxSupervisedObjectDataset(
        'ImageSets/Segmentation/train.txt',
        scenes,
        metainfo=dict(classes=('background', *SCENE_CLASSES)),
    )
    assert dataset.metainfo['classes'] == ('background', 'object')
    split = scenes / 'ImageSets/Segmentation/train.txt'
    want = [
        (image.image_path, box.tolist(), label)
        for image in VOCXML(scenes, SCENE_CLASSES).read(
            split.read_text().split()
        )
        for box, label in zip(image.boxes, image.labels, strict=True)
    ]
    got = [
        (item['img_path'], item['box'].tolist(), item['box_label'])
        for item in map(dataset.get_data_info, range(len(dataset)))
    ]
    assert len(want) > 16
    assert [str(path) for path, *_ in got] == [str(p) for p, *_ in want]
    assert [tuple(rest) for _, *rest in got] == [
        tuple(rest) for _, *rest in want
    ]
    assert {label for *_, label in got} <= set(range(1, 6))
    assert np.shape(got[0][1]) == (4,)
