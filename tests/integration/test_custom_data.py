"""The commands of docs/custom_data.md, word for word."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.boxes import iter_voc_xml
from box2seg_mmseg.datasets.rendered_scenes import SCENE_CLASSES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/custom_data.md'
TURNED = 6  # EXIF: the camera was turned by 90 degrees


def _commands():
    blocks = re.findall(r'```shell\n(.*?)```', PAGE.read_text(), re.DOTALL)
    export, commands = (block.strip().splitlines() for block in blocks)
    assert export == ['export BOX2SEG_CUSTOM=path/to/your/folder']
    return commands


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
    for i, item in enumerate(iter_voc_xml(scenes, ids, SCENE_CLASSES)):
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
    (root / 'classes.txt').write_text('toy shape\n')
    (root / 'train.txt').write_text('\n'.join(ids) + '\n')
    image = Image.open(root / f'JPEGImages/{ids[2]}.jpg')
    image.convert('RGBA').save(root / 'new/with_alpha.png')
    image.convert('L').resize((300, 40)).save(root / 'new/grey.jpg')
    _save_turned(image.resize((90, 50)), root / 'new/turned.jpg')
    return root


def test_six_commands_from_photographs_to_masks(folder, tmp_path):
    commands = _commands()
    assert len(commands) <= 6
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = dict(
        os.environ,
        BOX2SEG_CUSTOM=folder.name,
        PATH=f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
        OMP_WAIT_POLICY='PASSIVE',
    )
    for command in commands:
        if ' train ' in command:  # 800 iterations would take minutes
            command += (
                ' --cfg-options train_cfg.max_iters=4'
                ' default_hooks.checkpoint.interval=4'
            )
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
        if ' train ' in command:
            work_dir = tmp_path / 'work_dirs/custom'
            (work_dir / 'iter_4.pth').rename(work_dir / 'iter_800.pth')
    out = tmp_path / 'work_dirs/custom/predictions'
    sizes = dict(with_alpha=(64 * 3, 64), grey=(300, 40), turned=(90, 50))
    for name, size in sizes.items():
        mask = Image.open(out / f'masks/{name}.png')
        assert mask.size == size
        assert set(np.unique(mask)) <= {0, 1}
        assert Image.open(out / f'overlays/{name}.jpg').size == size
