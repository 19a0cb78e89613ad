from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.config import Config
from mmseg.apis import inference_model, init_model
from mmseg.registry import MODELS
from PIL import Image

from box2seg_mmseg.apis.predict_folder import predict_folder
from box2seg_mmseg.apis.predictor import Predictor
from box2seg_mmseg.boxes import VOC_CLASSES
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.installed import find_config
from box2seg_mmseg.models.checkpoints import drop_initial_weights
from box2seg_mmseg.models.post_processing import DenseCRF

SCENES = Path(__file__).resolve().parents[2] / 'configs/scenes'
# Parameters that change almost every pixel.
CRF = dict(iterations=3, min_prob=0.0, bi_w=10.0, bi_rgb=60.0)


def _config(method):
    (path,) = SCENES.glob(f'{method}_*.py')
    return path


def _checkpoint(path, method='box2seg', **changes):
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(_config(method)).model)
    for name, value in model.state_dict().items():
        if name.endswith('conv_seg.weight'):
            value.normal_()  # predictions that vary from pixel to pixel
    weights = model.state_dict() | changes
    torch.save(
        dict(state_dict={k: v for k, v in weights.items() if v is not None}),
        path,
    )
    return path


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / 'a.png'
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(image).save(path)
    return path


def test_a_checkpoint_that_leaves_parameters_at_random_is_refused(tmp_path):
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth', 'grabcut')
    weights = torch.load(checkpoint)['state_dict']
    model = Predictor(_config('grabcut'), checkpoint)._model
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name]), name
    with pytest.raises(ValueError, match=r'iter_1\.pth: not a checkpoint of'):
        Predictor(_config('box2seg'), checkpoint)
    _checkpoint(checkpoint, 'grabcut', **{'decode_head.conv_seg.bias': None})
    with pytest.raises(ValueError, match='conv_seg'):
        Predictor(_config('grabcut'), checkpoint)


def test_a_checkpoint_of_other_classes_is_refused(tmp_path):
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    content = torch.load(checkpoint)
    names = ('background', 'disk', 'ring', 'star', 'frame', 'lollipop')
    content['meta'] = dict(dataset_meta=dict(classes=names))
    torch.save(content, checkpoint)
    with pytest.raises(ValueError, match="class 4 is 'frame' in the checkp"):
        Predictor(_config('box2seg'), checkpoint)


def test_predictions_are_those_of_mmsegs_api(tmp_path, photograph):
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    stock = init_model(str(_config('box2seg')), device='cpu')
    stock.load_state_dict(torch.load(checkpoint)['state_dict'])
    want = inference_model(stock, str(photograph))
    got, probs = Predictor(_config('box2seg'), checkpoint).predict(photograph)
    assert torch.equal(got.pred_sem_seg.data, want.pred_sem_seg.data)
    assert torch.equal(probs, want.seg_logits.data.softmax(0))


@pytest.mark.parametrize(
    ('resize', 'larger'),
    [
        (None, dict(scale_factor=1.5, keep_ratio=True)),
        (dict(scale=(64, 48)), dict(scale=(96, 72))),
        (dict(scale=32, keep_ratio=True), dict(scale=48, keep_ratio=True)),
        (dict(scale_factor=2.0), dict(scale_factor=3.0)),
        (dict(scale_factor=1), dict(scale_factor=1.5)),
        (dict(scale_factor=(1.0, 2.0)), dict(scale_factor=(1.5, 3.0))),
    ],
)
def test_a_scale_enlarges_what_the_network_sees(
    tmp_path, photograph, resize, larger
):
    def write(name, step):
        cfg = Config.fromfile(_config('box2seg'))
        load, *others = (
            one
            for one in cfg.test_dataloader.dataset.pipeline
            if one['type'] != 'Resize'
        )
        steps = [] if step is None else [dict(type='Resize', **step)]
        pipeline = [load, *steps, *others]
        cfg.test_dataloader.dataset.pipeline = cfg.test_pipeline = pipeline
        cfg.dump(tmp_path / name)
        return tmp_path / name

    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    stock = init_model(str(write('larger.py', larger)), device='cpu')
    stock.load_state_dict(torch.load(checkpoint)['state_dict'])
    predictor = Predictor(write('config.py', resize), checkpoint)
    plain = predictor.predict(photograph)[1]
    got = predictor.predict(photograph, scale=1.5)[1]
    want = inference_model(stock, str(photograph)).seg_logits.data.softmax(0)
    assert torch.equal(got, want)
    assert not torch.equal(got, plain)
    assert torch.equal(predictor.predict(photograph)[1], plain)


def test_features_leave_out_the_padding(tmp_path, photograph):
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    config = Config.fromfile(_config('box2seg'))
    plain = Predictor(_config('box2seg'), checkpoint).features(photograph)
    config.model.data_preprocessor.test_cfg = dict(size=(80, 120))
    config.dump(tmp_path / 'padded.py')
    padded = Predictor(tmp_path / 'padded.py', checkpoint)
    got = padded.features(photograph)
    assert [one.shape for one in got] == [one.shape for one in plain]
    # Far from the padding, it cannot be seen.
    corner = np.s_[:, :4, :6]
    torch.testing.assert_close(got[0][corner], plain[0][corner])


def test_attention_is_the_sigmoid_of_the_branch(tmp_path, photograph):
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    predictor = Predictor(_config('box2seg'), checkpoint)
    assert predictor.has_attention
    image = cv2.imread(str(photograph))[..., ::-1].copy()
    model = predictor._model
    inputs = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    inputs = (inputs - model.data_preprocessor.mean) / (
        model.data_preprocessor.std
    )
    with torch.no_grad():
        _, branches = model.decode_head.forward_train(
            model.extract_feat(inputs)
        )
    want = F.interpolate(branches['attention'], (40, 60), mode='bilinear')
    np.testing.assert_allclose(
        predictor.attention(photograph),
        want[0].sigmoid(),
        rtol=1e-4,
    )
    checkpoint = _checkpoint(tmp_path / 'iter_2.pth', 'grabcut')
    assert not Predictor(_config('grabcut'), checkpoint).has_attention


@pytest.mark.parametrize(
    ('model', 'asked', 'want'),
    [
        ({}, False, None),
        ({}, True, {}),
        (dict(test_cfg=dict(crf=CRF)), True, CRF),
        (dict(type='CRFEncoderDecoder', test_cfg=dict(crf=CRF)), False, CRF),
        # The stock segmentor does not refine, and neither does test.py.
        (dict(test_cfg=dict(crf=CRF)), False, None),
    ],
)
def test_the_crf_is_the_configs(tmp_path, photograph, model, asked, want):
    pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
    config = tmp_path / 'config.py'
    config.write_text(f"_base_ = '{_config('box2seg')}'\nmodel = {model}\n")
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    predictor = Predictor(config, checkpoint, crf=asked, workers=2)
    sample, probs = predictor.predict(photograph)
    if want is None:
        assert predictor.refiner is None
        return
    network, refined = tmp_path / 'network', tmp_path / 'masks'
    images = dict.fromkeys(('a', 'b', 'sub/c'), photograph)
    predict_folder(predictor, images, network, refined)
    image = cv2.imread(str(photograph))
    want = DenseCRF(**want)(image, probs.numpy())
    for name in images:
        for folder, expected in (
            (network, sample.pred_sem_seg.data[0].numpy()),
            (refined, want),
        ):
            got = np.array(Image.open(folder / f'{name}.png'))
            assert np.array_equal(got, expected)


def test_parameters_of_the_crf_matter(tmp_path, photograph):
    """So that the test above could tell them apart."""
    pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
    checkpoint = _checkpoint(tmp_path / 'iter_1.pth')
    sample, probs = Predictor(_config('box2seg'), checkpoint).predict(
        photograph
    )
    image = cv2.imread(str(photograph))
    labels = [
        sample.pred_sem_seg.data[0].numpy(),
        *(DenseCRF(**crf)(image, probs.numpy()) for crf in ({}, CRF)),
    ]
    for i in range(3):
        assert not np.array_equal(labels[i], labels[i - 1])


def test_a_segmentor_without_a_crf_is_named(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{_config('box2seg')}'\n"
        "model = dict(type='MultimodalEncoderDecoder')\n"
    )
    with pytest.raises(UsageError, match=r'needs one of.*Got: Multimodal'):
        Predictor(config, tmp_path / 'absent.pth', crf=True)


CLASSES_20 = find_config(
    'miniature/grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
)
ONE_CLASS = find_config(
    'miniature_1class/'
    'grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256.py'
)


def test_a_network_is_for_the_classes_of_its_training(tmp_path):
    def check(config, classes, allow_one_class, trained=VOC_CLASSES):
        model = Config.fromfile(config).model
        drop_initial_weights(model)
        path = tmp_path / 'iter_1.pth'
        meta = dict(dataset_meta=dict(classes=('background', *trained)))
        weights = MODELS.build(model).state_dict()
        torch.save(dict(state_dict=weights, meta=meta), path)
        Predictor(config, path).check_box_classes(classes, allow_one_class)

    mug = tmp_path / 'mug.py'
    mug.write_text(
        f"_base_ = '{ONE_CLASS}'\n"
        'train_dataloader = dict(dataset=dict(metainfo=dict(\n'
        "    classes=('background', 'mug'))))\n"
    )
    check(CLASSES_20, VOC_CLASSES, allow_one_class=False)
    check(ONE_CLASS, VOC_CLASSES, allow_one_class=True)
    check(mug, ['mug'], False, trained=['mug'])
    for config, classes, allowed in (
        (CLASSES_20, VOC_CLASSES[::-1], True),
        (CLASSES_20, VOC_CLASSES[:-1], True),
        (ONE_CLASS, VOC_CLASSES, False),
    ):
        with pytest.raises(UsageError, match='not those of the boxes: class '):
            check(config, classes, allowed)
