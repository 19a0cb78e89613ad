"""The commands of docs/coco.md but for the trainings, word for word."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS

from box2seg_mmseg.boxes import (
    COCO_CLASSES,
    COCO_TO_VOC,
    VOC_CLASSES,
    AnnotationError,
)
from box2seg_mmseg.label_maps import read_label_png

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip('pycocotools', reason="needs the extra 'coco'")


@pytest.fixture
def coco(data_dir, tmp_path):
    """Four photographs of coco-mini under COCO's names; boxes as outlines."""
    source, root = data_dir / 'coco-mini', tmp_path / 'data/coco'
    content = json.loads((source / 'boxes.json').read_text())
    images = content['images'][:4]
    ids = {image['id'] for image in images}
    boxes = [b for b in content['annotations'] if b['image_id'] in ids]
    for box in boxes:
        x, y, w, h = box['bbox']
        box['segmentation'] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        box.setdefault('area', w * h)
    coco_names = {voc: name for name, voc in COCO_TO_VOC.items()}
    for category in content['categories']:
        name = category['name']
        category['name'] = coco_names.get(name, name)
    content |= dict(images=images, annotations=boxes)
    (root / 'annotations').mkdir(parents=True)
    for split in ('train2017', 'val2017'):
        path = root / f'annotations/instances_{split}.json'
        path.write_text(json.dumps(content))
        (root / split).symlink_to(source / 'JPEGImages')
    return content


@pytest.mark.slow
def test_labels_have_the_ids_that_the_configs_read(
    coco, page_blocks, follow, tmp_path
):
    coco80, coco20 = page_blocks('coco.md')
    follow([c for c in coco80 + coco20 if ' train ' not in c])
    names = {c['id']: c['name'] for c in coco['categories']}
    for image in coco['images']:
        boxed = {
            names[box['category_id']]
            for box in coco['annotations']
            if box['image_id'] == image['id']
        }
        png = image['file_name'].replace('.jpg', '.png')
        for folder, classes in (
            ('coco', COCO_CLASSES),
            ('coco20', VOC_CLASSES),
        ):
            path = tmp_path / f'data/pseudo_labels/{folder}/grabcut' / png
            found = set(np.unique(read_label_png(path, 81)).tolist())
            found -= {0, 255}
            if folder == 'coco20':
                boxed = {COCO_TO_VOC.get(name, name) for name in boxed}
            assert {classes[i - 1] for i in found} == boxed, path
            if folder == 'coco':
                mask = read_label_png(
                    tmp_path / 'data/coco/masks/val2017' / png, 81
                )
                assert found <= set(np.unique(mask).tolist())


@pytest.mark.parametrize('config', ['grabcut', 'box2seg', 'pretrain'])
def test_boxes_without_height_are_left_out_of_trainings(
    coco, tmp_path, monkeypatch, config
):
    """COCO's train2017 has two of them."""
    path = tmp_path / 'data/coco/annotations/instances_train2017.json'
    first = coco['annotations'][0]
    flat = dict(first, id=918, bbox=[*first['bbox'][:3], 0.0])
    coco['annotations'].append(flat)
    path.write_text(json.dumps(coco))
    names = tmp_path / 'data/coco/masks/train2017/names.txt'
    names.parent.mkdir(parents=True)
    ids = [Path(image['file_name']).stem for image in coco['images']]
    names.write_text('\n'.join(ids))
    monkeypatch.chdir(tmp_path)
    (config,) = (ROOT / 'configs/coco').glob(f'{config}_*.py')
    dataset = Config.fromfile(config).train_dataloader.dataset
    dataset.pipeline = []
    dataset.pseudo_label_dir = None  # only the boxes are read here
    boxes = [item['boxes'] for item in DATASETS.build(dataset)]
    assert len(boxes) == 4
    assert all((b[:, 2:] > b[:, :2]).all() for b in boxes)
    with pytest.raises(AnnotationError, match='needs x1 < x2 and y1 < y2'):
        DATASETS.build(dataset | dict(skip_bad=False))
