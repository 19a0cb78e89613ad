"""The commands of docs/custom_data.md, word for word."""

import codecs
import json

import numpy as np
import pytest
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML

TURNED = 6  # EXIF: the camera was turned by 90 degrees


def _save_turned(image, path):
    """Save an image as a turned camera would; viewers see it upright."""
    exif = Image.Exif()
    exif[0x0112] = TURNED
    image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


@pytest.fixture
def folder(scenes, tmp_path):
    """Rendered scenes of one class, in COCO's format: grey, turned, small."""
    root = tmp_path / 'mine'
    (root / 'JPEGImages').mkdir(parents=True)
    (root / 'new').mkdir()
    ids = (scenes / 'ImageSets/Segmentation/train.txt').read_text().split()
    images, boxes = [], []
    for i, item in enumerate(VOCXML(scenes, SCENE_CLASSES).read(ids)):
        image, scale = Image.open(item.image_path), 1 + i % 3
        image = image.resize((image.width * scale, image.height))
        path = root / f'JPEGImages/{item.image_id}.jpg'
        if i == 0:
            image.convert('L').save(path)
        elif i == 1:
            _save_turned(image, path)
        else:
            image.save(path)
        images.append(
            dict(
                id=i,
                file_name=path.name,
                width=image.width,
                height=image.height,
            )
        )
        for x1, y1, x2, y2 in item.boxes.tolist():
            box = [x1 * scale, y1, (x2 - x1) * scale, y2 - y1]
            boxes.append(
                dict(id=len(boxes), image_id=i, category_id=1, bbox=box)
            )
    content = dict(
        images=images,
        annotations=boxes,
        categories=[dict(id=1, name='toy shape')],
    )
    (root / 'boxes.json').write_text(json.dumps(content))
    # As a Windows editor saves them.
    for name, lines in {'classes': ['toy shape'], 'train': ids}.items():
        text = ''.join(f'{line}\r\n' for line in lines)
        (root / f'{name}.txt').write_bytes(codecs.BOM_UTF8 + text.encode())
    image = Image.open(root / f'JPEGImages/{ids[2]}.jpg')
    image.convert('RGBA').save(root / 'new/with_alpha.png')
    image.convert('L').resize((300, 40)).save(root / 'new/grey.jpg')
    _save_turned(image.resize((90, 50)), root / 'new/turned.jpg')
    return root


@pytest.mark.slow
def test_six_commands_from_photographs_to_masks(
    folder, page_blocks, follow, tmp_path
):
    commands, export, judge, *_ = page_blocks('custom_data.md')
    assert len(commands) <= 6
    follow(commands, folder.name, TORCH_HOME=str(tmp_path / 'torch'))
    out = tmp_path / 'predictions'
    sizes = dict(with_alpha=(64 * 3, 64), grey=(300, 40), turned=(90, 50))
    for name, size in sizes.items():
        mask = Image.open(out / f'masks/{name}.png')
        assert mask.size == size
        assert set(np.unique(mask)) <= {0, 1}
        assert Image.open(out / f'overlays/{name}.jpg').size == size

    follow(export)
    exported = (tmp_path / 'exported/segmentor.py').read_text()
    assert 'box2seg' not in exported.lower()

    masks = folder / 'SegmentationClass'
    masks.mkdir()
    ids = (folder / 'train.txt').read_text('utf-8-sig').split()[2:4]
    (folder / 'val.txt').write_text('\n'.join(ids))
    for image_id in ids:
        photograph = Image.open(folder / f'JPEGImages/{image_id}.jpg')
        mask = Image.new('L', photograph.size, 1)
        mask.paste(255, (0, 0, 20, 20))
        mask.save(masks / f'{image_id}.png')
    follow(judge, TORCH_HOME=str(tmp_path / 'torch'))
    (figures,) = tmp_path.glob('work_dirs/mine/*/*.json')
    assert 0 <= json.loads(figures.read_text())['mIoU'] <= 100
