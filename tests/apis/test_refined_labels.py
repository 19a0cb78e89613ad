import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.apis import refined_labels
from box2seg_mmseg.apis.predictor import Predictor
from box2seg_mmseg.apis.refined_labels import RefinedLabels
from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import hash_of
from box2seg_mmseg.models.post_processing import DenseCRF
from box2seg_mmseg.pseudo_labels import (
    StoreError,
    build_labeler,
    generate_pseudo_labels,
)

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/scenes'
(CONFIG,) = CONFIGS.glob('grabcut_*.py')
IDS = [f'train_000{i}' for i in range(4)]


@pytest.fixture
def network(tmp_path):
    """A checkpoint whose predictions vary from pixel to pixel."""

    def write(seed, num_classes=None):
        torch.manual_seed(seed)
        cfg = Config.fromfile(CONFIG)
        head, path = cfg.model.decode_head, tmp_path / f'{seed}.pth'
        if num_classes is not None:
            head.num_classes = head.out_channels = num_classes
        model = MODELS.build(cfg.model)
        for name, value in model.state_dict().items():
            if name.endswith('conv_seg.weight'):
                value.normal_()
        torch.save(dict(state_dict=model.state_dict()), path)
        config = tmp_path / f'{seed}.py'
        # Without the shipped classes the data set does not matter.
        cfg.dump(config)
        return str(config), str(path)

    return write


@pytest.fixture
def old(scenes, tmp_path):
    folder = tmp_path / 'old'
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(IDS),
        build_labeler(dict(type='BoxFill', inner=0.5)),
        folder,
    )
    return folder


@pytest.mark.parametrize('scales', [(1,), (1, 1.5)])
def test_segments_are_those_of_the_mean_of_all_views(
    scenes, network, old, tmp_path, scales
):
    config, checkpoint = network(1)
    labeler = RefinedLabels(
        config, checkpoint, old, 1, 0.7, 0, 0, 0, crf=False, scales=scales
    )
    predictor = Predictor(config, checkpoint)
    for item in VOCXML(scenes, SCENE_CLASSES).read(IDS):
        image, total = cv2.imread(item.image_path), 0
        mirrored = tmp_path / 'mirrored.png'
        cv2.imwrite(str(mirrored), image[:, ::-1])
        for scale in scales:
            total += predictor.predict(item.image_path, scale)[1]
            total += predictor.predict(mirrored, scale)[1].flip(-1)
        possible = np.unique([0, *item.labels])
        result = labeler.label(image, item.boxes, item.labels, item.image_id)
        for box, label, segment in zip(
            item.boxes.round().astype(int),
            item.labels,
            result.segments,
            strict=True,
        ):
            x1, y1, x2, y2 = box
            inside = total[:, y1:y2, x1:x2].numpy()
            want = inside[label] > inside[possible].sum(0) / 2
            # But for the file's rounding.
            assert (segment.values == want).mean() > 0.999


def test_a_network_of_one_class_refines_all_classes(scenes, network, old):
    config, checkpoint = network(2, num_classes=2)
    labeler = RefinedLabels(
        config, checkpoint, old, 0, 0.7, 0, 0, 0, crf=False
    )
    for item in VOCXML(scenes, SCENE_CLASSES).read(IDS):
        image = cv2.imread(item.image_path)
        got = labeler.label(image, item.boxes, item.labels, item.image_id)
        before = np.array(Image.open(old / f'{item.image_id}.png'))
        # An ignored pixel is as probable as not, and becomes background.
        want = (before > 0) & (before < 255)
        np.testing.assert_array_equal(got.label_map > 0, want)
        assert set(np.unique(got.label_map)) <= {0, *item.labels}


def test_the_crf_reaches_as_far_as_the_box_is_large(
    scenes, network, old, monkeypatch
):
    pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
    config, checkpoint = network(6)
    labeler = RefinedLabels(config, checkpoint, old, scales=(1,))
    reaches = []

    def make_crf(bi_xy):
        reaches.append(bi_xy)
        return DenseCRF(bi_xy=bi_xy)

    monkeypatch.setattr(refined_labels, 'DenseCRF', make_crf)
    (item,) = VOCXML(scenes, SCENE_CLASSES).read(IDS[:1])
    image = cv2.imread(item.image_path)
    labeler.label(image, item.boxes, item.labels, item.image_id)
    sides = item.boxes.round()[:, 2:] - item.boxes.round()[:, :2]
    assert reaches == pytest.approx(0.4 * np.sqrt(sides.prod(1)))


def test_each_checkpoint_labels_its_images(scenes, network, old, tmp_path):
    (config, first), (_, second) = network(3), network(4)
    splits = {first: IDS[:2], second: IDS[2:]}
    for path, ids in splits.items():
        Path(path).with_suffix('.txt').write_text('\n'.join(ids))
    checkpoints = {path: path.replace('.pth', '.txt') for path in splits}
    both = RefinedLabels(config, checkpoints, old, crf=False)
    out = tmp_path / 'new'

    def run(labeler, ids=IDS, **options):
        items = VOCXML(scenes, SCENE_CLASSES).read(ids)
        return generate_pseudo_labels(items, labeler, out, **options)

    assert run(both).num_images == 4
    for path, ids in splits.items():
        one = RefinedLabels(config, path, old, crf=False)
        for item in VOCXML(scenes, SCENE_CLASSES).read(ids):
            image = cv2.imread(item.image_path)
            want = one.label(image, item.boxes, item.labels, item.image_id)
            got = np.array(Image.open(out / f'{item.image_id}.png'))
            np.testing.assert_array_equal(got, want.label_map)

    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['checkpoints'] == {
        path: hash_of(Path(path).read_bytes()) for path in splits
    }
    assert manifest['old_labels']['labeler']['type'] == 'BoxFill'
    # A new label is made where the old one has changed, and only there.
    changed = old / f'{IDS[1]}.png'
    changed.write_bytes((old / f'{IDS[0]}.png').read_bytes())
    assert run(both).num_kept == 3

    Path(checkpoints[second]).write_text('\n'.join(IDS[1:]))
    with pytest.raises(ValueError, match=f'names {IDS[1]} too'):
        RefinedLabels(config, checkpoints, old, crf=False)
    Path(checkpoints[second]).write_text(IDS[2])
    partial = RefinedLabels(config, checkpoints, old, crf=False)
    with pytest.raises(StoreError, match='splits'):
        run(partial)
    with pytest.raises(ValueError, match=f'{IDS[3]}: is in none of the split'):
        run(partial, IDS[3:], overwrite=True)


def test_a_network_that_diverged_is_named(scenes, network, old):
    config, checkpoint = network(7)
    content = torch.load(checkpoint)
    weights = content['state_dict']
    (bias,) = (name for name in weights if name.endswith('conv_seg.bias'))
    weights[bias].fill_(torch.nan)
    torch.save(content, checkpoint)
    labeler = RefinedLabels(config, checkpoint, old, crf=False)
    (item,) = VOCXML(scenes, SCENE_CLASSES).read(IDS[:1])
    image = cv2.imread(item.image_path)
    with pytest.raises(ValueError, match=r'0000: .*7\.pth gives probabilit'):
        labeler.label(image, item.boxes, item.labels, item.image_id)


def test_the_folder_does_not_record_the_device(scenes, network, old, tmp_path):
    config, checkpoint = network(8)
    for i, options in enumerate((dict(), dict(device='cpu:0', trust=True))):
        labeler = RefinedLabels(config, checkpoint, old, crf=False, **options)
        items = VOCXML(scenes, SCENE_CLASSES).read(IDS)
        summary = generate_pseudo_labels(items, labeler, tmp_path / 'new')
        assert summary.num_kept == (0, len(IDS))[i]


def test_wrong_arguments_are_refused(network, old):
    config, checkpoint = network(5)
    with pytest.raises(ValueError, match=r'confidence must be in \[0.5, 1\]'):
        RefinedLabels(config, checkpoint, old, confidence=0.4)
    with pytest.raises(ValueError, match=r'tightness must be in \[0, 1\)'):
        RefinedLabels(config, checkpoint, old, tightness=1)
    for device, text in (('cdua', 'torch knows no such'), ('cuda', 'no CUDA')):
        if not (device == 'cuda' and torch.cuda.is_available()):
            with pytest.raises(UsageError, match=f'{device}: .*{text}'):
                RefinedLabels(config, checkpoint, old, device=device)
    for scales in ((), (1, 0), (math.nan,)):
        with pytest.raises(ValueError, match=r'scales must be positive. Got'):
            RefinedLabels(config, checkpoint, old, scales=scales)
    labeler = RefinedLabels(config, checkpoint, old, crf=False)
    image, boxes = np.zeros((8, 8, 3), np.uint8), np.array([(1, 1, 5, 5)])
    with pytest.raises(ValueError, match=r'0000\.png: must have the size'):
        labeler.label(image, boxes, [1], IDS[0])
