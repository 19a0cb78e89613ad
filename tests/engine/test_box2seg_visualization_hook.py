from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from box2seg_mmseg.engine.hooks import Box2SegVisualizationHook
from box2seg_mmseg.structures import BoxRegions
from box2seg_mmseg.visualization import overlay_heat, overlay_labels

(CONFIG,) = (Path(__file__).resolve().parents[2] / 'configs/scenes').glob(
    'box2seg_*.py'
)
SIDE = 64


def _sample(side):
    """Class 2 in the middle of the image, boxed."""
    third = side // 4
    middle = slice(third, side - third)
    label = torch.zeros(side, side, dtype=torch.long)
    label[middle, middle] = 2
    result = SegDataSample(metainfo=dict(img_shape=(SIDE, SIDE)))
    result.gt_sem_seg = PixelData(data=label[None])
    result.set_data(
        dict(
            gt_box_regions=BoxRegions(
                (label > 0).to(torch.uint8),
                torch.tensor([[False], [True]]),
                torch.tensor([2]),
            )
        )
    )
    return result


def _draw(model, sample, **options):
    """A random image, RGB, and what the hook draws of it in iteration 10."""
    image = torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8)
    pictures = {}
    runner = SimpleNamespace(
        model=model,
        iter=9,
        visualizer=SimpleNamespace(
            add_image=lambda name, picture, step: pictures.update(
                {(name, step): picture}
            )
        ),
    )
    batch = dict(inputs=[image], data_samples=[sample])
    hook = Box2SegVisualizationHook(interval=10, **options)
    hook.after_train_iter(runner, 9, batch)
    assert list(pictures) == [('box2seg_0', 10)]
    picture = pictures['box2seg_0', 10].astype(int)
    return image.numpy()[::-1].transpose(1, 2, 0), picture


@pytest.mark.parametrize('label_side', [SIDE, SIDE // 2])
def test_panels_are_the_label_and_the_attention_in_its_boxes(
    label_side, monkeypatch
):
    cfg = Config.fromfile(CONFIG).model
    del cfg.decode_head.losses[2]
    model = MODELS.build(cfg)
    logits = torch.zeros(1, 5, 8, 8)
    logits[:, 1] = 2
    monkeypatch.setattr(
        model.decode_head,
        'forward_train',
        lambda _: (None, dict(attention=logits)),
    )
    rgb, picture = _draw(model, _sample(label_side))
    label = _sample(SIDE).gt_sem_seg.data[0].numpy().astype(np.uint8)
    heat = np.where(label == 2, 1 / (1 + np.exp(-2)), 0)
    want = [overlay_labels(rgb, label), overlay_heat(rgb, heat)]
    assert np.abs(picture - np.hstack(want)).max() <= 1


def test_a_panel_shows_what_is_like_the_marked_pixel(monkeypatch):
    cfg = Config.fromfile(CONFIG).model
    del cfg.decode_head.losses[1]
    model = MODELS.build(cfg)
    # Embeddings of the left half, of any length, at a right angle to those
    # of the right one.
    embeddings = torch.zeros(1, 4, 12, 12)  # of the padded image, 96 px
    embeddings[:, 0, :, :4], embeddings[:, 3, :, 4:] = 5, 0.1
    branches = dict(embedding=embeddings)
    monkeypatch.setattr(
        model.decode_head, 'forward_train', lambda _: (None, branches)
    )
    rgb, picture = _draw(model, _sample(SIDE), pixel=(0.5, 0.125))
    panel = picture[:, SIDE:]
    assert panel[SIDE // 2, SIDE // 8].tolist() == [0, 255, 255]  # the cross
    alike = np.zeros((SIDE, SIDE))
    alike[:, : SIDE // 2] = 1
    want = overlay_heat(rgb, alike)
    for part in (np.s_[:20, :20], np.s_[:, -20:]):  # off cross and seam
        assert np.abs(panel[part] - want[part]).max() <= 1


def test_another_head_is_named():
    cfg = Config.fromfile(CONFIG).model
    cfg.decode_head = cfg.decode_head.decoder
    runner = SimpleNamespace(model=MODELS.build(cfg))
    with pytest.raises(TypeError, match=r'needs a Box2SegHead\. Got: \w+Head'):
        Box2SegVisualizationHook().before_train(runner)


def test_an_image_without_boxes_has_no_panel_of_attention():
    """As of PackSegInputs, with which Box2Seg is fine-tuned on masks."""
    cfg = Config.fromfile(CONFIG).model
    del cfg.decode_head.losses[2]
    sample = _sample(SIDE)
    del sample.gt_box_regions
    rgb, picture = _draw(MODELS.build(cfg), sample)
    label = sample.gt_sem_seg.data[0].numpy().astype(np.uint8)
    assert np.abs(picture - overlay_labels(rgb, label)).max() <= 1
