import cv2
import numpy as np
import pytest
from PIL import Image
from rendered_scenes import SCENE_CLASSES, draw_scene, write_scenes

from box2seg_mmseg.boxes import VOCXML


@pytest.mark.parametrize('seed', range(20))
def test_boxes_cover_the_mask_tightly(seed):
    image, mask, boxes, labels = draw_scene(np.random.default_rng(seed), 64)
    assert image.shape == (64, 64, 3) and image.dtype == np.uint8
    assert len(boxes) == len(labels) >= 1
    filled = np.zeros_like(mask)
    for (x1, y1, x2, y2), label in zip(boxes.astype(int), labels, strict=True):
        inside = mask[y1:y2, x1:x2] == label
        assert inside[0].any() and inside[-1].any()
        assert inside[:, 0].any() and inside[:, -1].any()
        filled[y1:y2, x1:x2] = 1
    assert not mask[filled == 0].any()


def test_every_class_and_occlusion_occur():
    seen, hidden = set(), 0
    for seed in range(60):
        _, mask, boxes, labels = draw_scene(np.random.default_rng(seed), 64)
        seen |= set(labels.tolist())
        for (x1, y1, x2, y2), label in zip(
            boxes.astype(int), labels, strict=True
        ):
            others = np.unique(mask[y1:y2, x1:x2])
            hidden += bool(set(others.tolist()) - {0, label})
    assert seen == set(range(1, len(SCENE_CLASSES) + 1))
    assert hidden > 10


def test_the_same_seed_writes_the_same_files(scenes, tmp_path):
    write_scenes(tmp_path, num_train=16, num_val=4, side=64, seed=3)
    names = sorted(p.relative_to(scenes) for p in scenes.rglob('*.*'))
    assert len(names) == 2 + 3 * 20
    for name in names:
        assert (scenes / name).read_bytes() == (tmp_path / name).read_bytes()


def test_what_is_written_can_be_read(scenes):
    ids = (scenes / 'ImageSets/Segmentation/val.txt').read_text().split()
    assert len(ids) == 4
    for item in VOCXML(scenes, SCENE_CLASSES).read(ids):
        assert cv2.imread(item.image_path).shape[:2] == item.size
        path = scenes / 'SegmentationClass' / f'{item.image_id}.png'
        found = set(np.unique(np.array(Image.open(path)))) - {0}
        assert found == set(item.labels.tolist())
