"""SAM's prompts, against transformers' own processors and models.

The networks are tiny and have random weights: this tests the plumbing, not
the quality of the masks.
"""

import pickle
import sys

import numpy as np
import pytest
import torch

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.label_maps import write_label_png
from box2seg_mmseg.pseudo_labels import (
    StoreError,
    build_labeler,
    generate_pseudo_labels,
)

SIDE = 128


@pytest.fixture(scope='module')
def transformers():
    return pytest.importorskip(
        'transformers', reason="needs the extra 'sam'", minversion='5'
    )


def _sam(transformers):
    small = dict(hidden_size=32, image_size=SIDE, num_pos_feats=16)
    return transformers.SamModel(
        transformers.SamConfig(
            vision_config=dict(
                small,
                output_channels=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                global_attn_indexes=[1],
                mlp_dim=32,
                window_size=4,
            ),
            prompt_encoder_config=dict(
                small, image_embedding_size=SIDE // 16, mask_input_channels=4
            ),
            mask_decoder_config=dict(
                hidden_size=32,
                mlp_dim=32,
                num_attention_heads=2,
                iou_head_hidden_dim=32,
            ),
        )
    )


def _sam2(transformers):
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        num_attention_heads=1,
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 1, 1],
        window_size_per_stage=[8, 4, 4, 2],
        global_attention_blocks=[3],
    )
    return transformers.Sam2Model(
        transformers.Sam2Config(
            vision_config=transformers.Sam2VisionConfig(
                backbone_config=backbone,
                backbone_channel_list=[64, 32, 16, 8],
                backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
                fpn_hidden_size=32,
            ),
            prompt_encoder_config=dict(
                hidden_size=32, image_size=SIDE, mask_input_channels=4
            ),
            mask_decoder_config=dict(
                hidden_size=32,
                mlp_dim=32,
                num_attention_heads=2,
                iou_head_hidden_dim=32,
            ),
        )
    )


@pytest.fixture(scope='module', params=[_sam, _sam2], ids=['sam', 'sam2'])
def model(request, transformers, tmp_path_factory):
    """A model of transformers, and the folder of its checkpoint."""
    torch.manual_seed(2)
    result = request.param(transformers).eval()
    with torch.no_grad():
        for values in result.parameters():
            if values.ndim > 1:  # so that the masks depend on the boxes
                values.normal_(std=0.1)
    result.folder = tmp_path_factory.mktemp(request.param.__name__)
    result.save_pretrained(result.folder)
    return result


BOXES = np.array([(3, 5, 60, 70), (40, 1, 99, 33), (70, 30, 95, 75)])


@pytest.fixture(scope='module')
def image():
    return np.random.default_rng(0).integers(0, 256, (81, 100, 3), np.uint8)


def _expected(transformers, model, image, boxes):
    """All masks and their qualities by transformers' own processors."""
    photograph, prompts = image[..., ::-1].copy(), [boxes.tolist()]
    sides = dict(height=SIDE, width=SIDE)
    if isinstance(model, transformers.SamModel):
        processor = transformers.SamProcessor(
            transformers.SamImageProcessorPil(
                size=dict(longest_edge=SIDE), pad_size=sides
            )
        )
        inputs = processor(
            photograph, input_boxes=prompts, return_tensors='pt'
        )
        sizes = (
            inputs.pop('original_sizes'),
            inputs.pop('reshaped_input_sizes'),
        )
        output = model(**inputs)
        masks = processor.post_process_masks(output.pred_masks, *sizes)[0]
        return masks.numpy(), output.iou_scores[0].numpy()

    # Sam2Processor needs torchvision; it resizes to a square.
    class _Square(transformers.SamImageProcessorPil):
        def _get_preprocess_shape(self, old_shape, longest_edge):
            return SIDE, SIDE

    processor = _Square(size=dict(longest_edge=SIDE), pad_size=sides)
    pixels = processor(photograph, return_tensors='pt')['pixel_values']
    scale = np.array([SIDE / 100, SIDE / 81] * 2)
    prompts = torch.tensor((boxes * scale)[None], dtype=torch.float32)
    output = model(pixels, input_boxes=prompts)
    masks = torch.nn.functional.interpolate(
        output.pred_masks[0], (81, 100), mode='bilinear', align_corners=False
    )
    return masks.numpy() > 0, output.iou_scores[0].numpy()


@pytest.mark.parametrize('batch_size', [16, 2])
def test_masks_are_those_of_transformers(
    transformers, model, image, batch_size
):
    labeler = build_labeler(
        dict(
            type='SegmentAnything',
            model=str(model.folder),
            device='cpu',
            batch_size=batch_size,
        )
    )
    labeler = pickle.loads(pickle.dumps(labeler))
    got = labeler.label(image, BOXES, [1, 2, 3]).segments
    with torch.no_grad():
        masks, scores = _expected(transformers, model, image, BOXES)
    assert masks.shape == (3, 3, 81, 100)
    assert len({*scores.argmax(1)}) > 1
    for i, (x1, y1, x2, y2) in enumerate(BOXES):
        best = masks[i, scores[i].argmax()][y1:y2, x1:x2]
        assert 0 < best.mean() < 1
        assert got[i].fallback is None
        # Preprocessing rounds in another order.
        assert (got[i].values != best).mean() < 0.002
    assert len(labeler.label(image, np.zeros((0, 4)), []).segments) == 0


def test_a_box_without_a_mask_is_filled(model, image, monkeypatch):
    labeler = build_labeler(
        dict(type='SegmentAnything', model=str(model.folder), device='cpu')
    )
    empty = np.zeros((1, 81, 100), bool)
    monkeypatch.setattr(type(labeler), '_masks', lambda *_: iter(empty))
    (segment,) = labeler.label(image, BOXES[:1], [1]).segments
    assert segment.filling_rate == 1
    assert segment.fallback == 'SAM found nothing in the box'


def test_the_folder_records_the_checkpoint(model, image, tmp_path):
    write_label_png(tmp_path / 'a.png', image[..., 0])
    item = BoxAnnotations(
        'a', str(tmp_path / 'a.png'), (81, 100), BOXES, [1, 2, 3]
    )
    labeler = build_labeler(
        dict(type='SegmentAnything', model=str(model.folder), device='cpu')
    )

    def run():
        return generate_pseudo_labels([item], labeler, tmp_path / 'out', None)

    assert run().num_kept == 0
    assert run().num_kept == 1
    (weights,) = model.folder.glob('*.safetensors')
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    try:
        with pytest.raises(StoreError, match=r'checkpoint \w{32} -> \w{32}'):
            run()
    finally:
        weights.write_bytes(data)


def test_other_models_are_refused(transformers, image, tmp_path):
    transformers.ViTConfig().save_pretrained(tmp_path)
    labeler = build_labeler(dict(type='SegmentAnything', model=str(tmp_path)))
    with pytest.raises(ValueError, match=r'SAM or SAM 2, .* Got: vit'):
        labeler(image, BOXES, [1, 1, 1])
    with pytest.raises(ValueError, match='batch_size must be >= 1'):
        build_labeler(dict(type='SegmentAnything', batch_size=0))


def test_without_transformers_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    labeler = build_labeler(dict(type='SegmentAnything'))
    with pytest.raises(ImportError, match=r'box2seg-mmseg\[sam\]'):
        _ = labeler.provenance
