"""The commands of docs/openimages.md but for the trainings, literally."""

import csv

import pytest

from box2seg_mmseg.boxes import COCOJSON, OPEN_IMAGES_TO_VOC, VOC_CLASSES

COLUMNS = [
    *('ImageID', 'Source', 'LabelName', 'Confidence'),
    *('XMin', 'XMax', 'YMin', 'YMax'),
    *('IsOccluded', 'IsTruncated', 'IsGroupOf', 'IsDepiction', 'IsInside'),
]


@pytest.fixture
def open_images(data_dir, tmp_path):
    """Photographs of coco-mini in the format of OpenImages."""
    root = data_dir / 'coco-mini'
    names = {voc: name for name, voc in OPEN_IMAGES_TO_VOC.items()}
    codes = {name: f'/m/{i:04}' for i, name in enumerate(names.values())}
    with (tmp_path / 'oidv7-class-descriptions-boxable.csv').open('w') as file:
        rows = ((code, name) for name, code in codes.items())
        csv.writer(file).writerows([('LabelName', 'DisplayName'), *rows])
    images = tmp_path / 'images/train'
    images.mkdir(parents=True)
    ids = (root / 'train.txt').read_text().split()[:8]
    with (tmp_path / 'oidv6-train-annotations-bbox.csv').open('w') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for item in COCOJSON(root).read(ids):
            (images / f'{item.image_id}.jpg').symlink_to(item.image_path)
            height, width = item.size
            for label, (x1, y1, x2, y2) in zip(
                item.labels, item.boxes, strict=True
            ):
                code = codes[names[VOC_CLASSES[label - 1]]]
                box = (x1 / width, x2 / width, y1 / height, y2 / height)
                writer.writerow(
                    [item.image_id, 'xclick', code, 1, *box, *'00000']
                )
    return ids


@pytest.mark.slow
def test_boxes_and_labels_of_the_chosen_images(
    open_images, page_blocks, follow, tmp_path
):
    commands, on_gpus = page_blocks('openimages.md')
    assert all(' train ' in command for command in on_gpus)
    follow(commands)
    split = tmp_path / 'data/openimages/ImageSets/Segmentation/train.txt'
    chosen = split.read_text().split()
    assert chosen and set(chosen) <= set(open_images)
    labels = tmp_path / 'data/pseudo_labels/openimages'
    assert sorted(p.stem for p in labels.glob('*.png')) == sorted(chosen)
