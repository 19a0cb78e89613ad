"""The config and the commands of docs/own_project.md, word for word."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from PIL import Image

from box2seg_mmseg.boxes import BoxAnnotations, write_voc_xml

PAGE = Path(__file__).resolve().parents[2] / 'docs/own_project.md'


@pytest.fixture
def project(tmp_path):
    """Six photographs of cats and dogs, bright rectangles, and the config."""
    root = tmp_path / 'data/mine'
    for name in ('JPEGImages', 'Annotations', 'SegmentationClass'):
        (root / name).mkdir(parents=True)
    noise = np.random.default_rng(0)
    ids = [f'p{i}' for i in range(6)]
    for i, image_id in enumerate(ids):
        label = 1 + i % 2
        image = noise.integers(0, 80, (90, 120, 3), dtype=np.uint8)
        image[20:60, 30:80] += 120
        path = root / f'JPEGImages/{image_id}.jpg'
        Image.fromarray(image).save(path)
        boxes = BoxAnnotations(
            image_id, str(path), (90, 120), [(28, 18, 82, 62)], [label]
        )
        write_voc_xml(
            root / f'Annotations/{image_id}.xml', boxes, ('cat', 'dog')
        )
        mask = np.zeros((90, 120), np.uint8)
        mask[20:60, 30:80] = label
        Image.fromarray(mask).save(root / f'SegmentationClass/{image_id}.png')
    (root / 'train.txt').write_text('\n'.join(ids[:4]))
    (root / 'val.txt').write_text('\n'.join(ids[4:]))
    (root / 'classes.txt').write_text('cat\ndog\n')
    (config,) = re.findall(
        r'```python title="my_box2seg.py"\n(.*?)```',
        PAGE.read_text(),
        re.DOTALL,
    )
    (tmp_path / 'my_box2seg.py').write_text(config)
    return tmp_path


@pytest.mark.slow
def test_from_boxes_to_a_plain_model(project, page_blocks, follow):
    labels, training, *_, export = page_blocks('own_project.md')
    follow([*labels, *training, *export])
    # Neither the file nor the model needs the plugin.
    text = (project / 'exported/segmentor.py').read_text()
    assert 'box2seg' not in text.lower()
    model = MODELS.build(
        Config.fromfile(project / 'exported/segmentor.py').model
    )
    assert type(model.decode_head).__name__ == 'SegformerHead'
    saved = torch.load(project / 'exported/segmentor.pth', weights_only=False)
    model.load_state_dict(saved['state_dict'])
