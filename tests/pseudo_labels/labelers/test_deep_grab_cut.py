import math
import pickle

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from rendered_scenes import draw_scene

from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.models.box_network import BoxNetwork
from box2seg_mmseg.pseudo_labels import build_labeler

MODEL = """
custom_imports = dict(imports=['box2seg_mmseg'], allow_failed_imports=False)
default_scope = 'mmseg'
norm_cfg = dict(type='BN')
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[127], std=[128], size=(64, 64)
    ),
    backbone=dict(
        type='BackboneWithDistance',
        backbone=dict(type='EfficientNetLite', out_indices=(1, 2)),
    ),
    decode_head=dict(
        type='UPerHead', in_channels=[25, 41], in_index=[0, 1], channels=8,
        pool_scales=(1, 2), num_classes=2, norm_cfg=norm_cfg,
        align_corners=False, loss_decode=dict(type='CrossEntropyLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
test_dataloader = dict(
    dataset=dict(pipeline=[dict(type='CropBox', side=64, margin=0.25)])
)
"""
BOXES = np.array([[10, 8, 50, 60], [0, 0, 64, 64], [30, 0, 31, 64]])


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    """Config, checkpoint and model of a small network of random weights."""
    folder = tmp_path_factory.mktemp('network')
    (folder / 'config.py').write_text(MODEL)
    cfg = Config.fromfile(folder / 'config.py')
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    # Half of the pixels of a crop become foreground.
    torch.nn.init.normal_(model.decode_head.conv_seg.weight, std=3)
    weights = model.state_dict()
    torch.save(dict(state_dict=weights), folder / 'weights.pth')
    return folder / 'config.py', folder / 'weights.pth', model


@pytest.fixture
def cfg(network):
    config, checkpoint, _ = network
    return dict(
        type='DeepGrabCut',
        model_config=str(config),
        checkpoint=str(checkpoint),
    )


@pytest.fixture(scope='module')
def image():
    return draw_scene(np.random.default_rng(1), 64)[0]


def _probabilities(model, image, box):
    """The plain way for one box: crop, distances, network, bilinear."""
    (x1, y1, x2, y2), (height, width) = box.tolist(), image.shape[:2]
    dx, dy = (x2 - x1) / 4, (y2 - y1) / 4
    left, right = max(0, math.floor(x1 - dx)), min(width, math.ceil(x2 + dx))
    top, bottom = max(0, math.floor(y1 - dy)), min(height, math.ceil(y2 + dy))
    crop = image[top:bottom, left:right]
    inputs = np.zeros((4, 64, 64), np.float32)
    linear = cv2.INTER_AREA if crop.shape[:2] == (64, 64) else 1
    small = cv2.resize(crop, (64, 64), interpolation=linear)
    inputs[:3] = small[..., ::-1].transpose(2, 0, 1)
    x_scale, y_scale = 64 / (right - left), 64 / (bottom - top)
    for row in range(64):
        for column in range(64):
            dx = max((x1 - left) * x_scale - column - 0.5, 0) + max(
                column + 0.5 - (x2 - left) * x_scale, 0
            )
            dy = max((y1 - top) * y_scale - row - 0.5, 0) + max(
                row + 0.5 - (y2 - top) * y_scale, 0
            )
            distance = math.hypot(dx, dy)
            if distance == 0:
                distance = -min(
                    column + 0.5 - (x1 - left) * x_scale,
                    (x2 - left) * x_scale - column - 0.5,
                    row + 0.5 - (y1 - top) * y_scale,
                    (y2 - top) * y_scale - row - 0.5,
                )
            inputs[3, row, column] = round(128 + distance)
    with torch.no_grad():
        batch = torch.from_numpy((inputs - 127) / 128)[None]
        logits = model(batch, mode='tensor')
    size = bottom - top, right - left
    logits = F.interpolate(logits, size, mode='bilinear')
    probs = logits.softmax(1)[0, 1].numpy()
    return probs[y1 - top : y2 - top, x1 - left : x2 - left]


def test_segments_are_those_of_a_plain_call(network, cfg, image):
    labels = np.array([3, 4, 5])
    segments = build_labeler(cfg).label(image, BOXES, labels).segments
    checked = set()
    for box, segment in zip(BOXES, segments, strict=True):
        if segment.fallback is not None:
            continue
        probs = _probabilities(network[2], image, box)
        clear = np.abs(probs - 0.5) > 1e-3
        assert clear.mean() > 0.9
        assert np.array_equal(segment.values[clear] == 1, probs[clear] > 0.5)
        checked |= set(np.unique(segment.values[clear]))
    assert checked == {0, 1}


def test_the_number_of_boxes_at_once_does_not_matter(cfg, image):
    boxes = np.concatenate([BOXES, BOXES[:, ::-1][:, [2, 3, 0, 1]]])
    labels = np.arange(1, len(boxes) + 1)
    one, three = (
        build_labeler(cfg | dict(batch_size=n))(image, boxes, labels)
        for n in (1, 3)
    )
    assert np.array_equal(one, three)
    assert len(np.unique(one)) > 3


def test_the_threshold_and_boxes_without_foreground(cfg, image):
    sizes = []
    for threshold in (1e-6, 0.5, 1 - 1e-6):
        labeler = build_labeler(cfg | dict(threshold=threshold))
        result = labeler.label(image, BOXES[:1], [1])
        (segment,) = result.segments
        sizes.append(0 if segment.fallback else (result.label_map == 1).sum())
        if segment.fallback:
            assert segment.fallback == 'no foreground'
            assert segment.values.all()
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[2]


def test_it_travels_to_workers_without_the_network(cfg, image):
    labeler = build_labeler(cfg)
    want = labeler(image, BOXES, [1, 2, 3])
    data = pickle.dumps(labeler)
    assert len(data) < 2000
    assert np.array_equal(pickle.loads(data)(image, BOXES, [1, 2, 3]), want)
    assert labeler.config == cfg | dict(
        device='cpu', batch_size=8, threshold=0.5, crf_iterations=0
    )


def test_the_manifest_knows_the_network_and_its_crops(cfg, tmp_path):
    before = build_labeler(cfg).provenance
    assert before == build_labeler(cfg).provenance
    assert before['crop'] == dict(side=64, margin=0.25)
    other = tmp_path / 'other.pth'
    weights = torch.load(cfg['checkpoint'])
    weights['state_dict']['decode_head.conv_seg.bias'] += 1
    torch.save(weights, other)
    after = build_labeler(cfg | dict(checkpoint=str(other))).provenance
    assert before['checkpoint_hash'] != after['checkpoint_hash']


def test_the_crf_keeps_to_the_box(cfg, image):
    pytest.importorskip('pydensecrf')
    labeler = build_labeler(cfg | dict(crf_iterations=5))
    label_map = labeler(image, BOXES[:1], [9])
    x1, y1, x2, y2 = BOXES[0]
    assert (label_map[y1:y2, x1:x2] == 9).any()
    assert (label_map == 9).sum() == (label_map[y1:y2, x1:x2] == 9).sum()


def test_bad_arguments_are_named(cfg, network, tmp_path):
    with pytest.raises(ValueError, match=r'^no: no such checkpoint'):
        build_labeler(cfg | dict(checkpoint='no'))
    with pytest.raises(ValueError, match=r'must be given\. Got: None, None'):
        build_labeler(dict(type='DeepGrabCut'))
    with pytest.raises(UsageError, match='no: no such file'):
        build_labeler(cfg | dict(model_config='no'))
    for name, value in (
        ('batch_size', 0),
        ('threshold', 1.0),
        ('crf_iterations', -1),
    ):
        with pytest.raises(ValueError, match=f'{name} must be.*{value}'):
            build_labeler(cfg | {name: value})
    plain = tmp_path / 'plain.py'
    plain.write_text(MODEL.replace('CropBox', 'Resize'))
    with pytest.raises(ValueError, match=r'plain.py: .*CropBox.*Got: 0'):
        BoxNetwork(plain, network[1])
