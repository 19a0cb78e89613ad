"""What holds for Box2SegHead over any stock head, on any backbone.

A head or backbone more is an entry in HEADS or BACKBONES.
"""

import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.apis.export_segmentor import export_segmentor
from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels
from box2seg_mmseg.structures import BoxRegions

(SCENES,) = (
    Path(__file__).resolve().parents[3].glob('configs/scenes/box2seg_*.py')
)
CLASSES = 1 + len(SCENE_CLASSES)
LOSSES = {'loss_gc', 'loss_fg', 'loss_bg', 'loss_fr', 'loss_affinity'}
SIZE = (72, 100)  # of an image: no multiple of 32
ORIGINAL = (53, 131)
BN = dict(type='BN', requires_grad=True)
SYNC_BN = dict(type='SyncBN', requires_grad=True)

# Channels of the four outputs, and the config.
BACKBONES = {
    'resnet': (
        [8, 16, 32, 64],
        dict(
            type='ResNetV1c',
            depth=18,
            stem_channels=8,
            base_channels=8,
            norm_cfg=SYNC_BN,
        ),
    ),
    'mobilenet_v2': (
        [8, 8, 24, 80],
        dict(
            type='MobileNetV2',
            widen_factor=0.25,
            strides=(1, 2, 2, 2, 1, 2, 1),
            dilations=(1, 1, 1, 1, 1, 1, 1),
            out_indices=(1, 2, 4, 6),
            norm_cfg=BN,
        ),
    ),
    'mit': (
        [8, 16, 32, 64],
        dict(
            type='MixVisionTransformer',
            embed_dims=8,
            num_layers=[1, 1, 1, 1],
            num_heads=[1, 2, 4, 8],
            qkv_bias=True,
            drop_path_rate=0.0,
        ),
    ),
    'swin': (
        [8, 16, 32, 64],
        dict(
            type='SwinTransformer',
            embed_dims=8,
            depths=(1, 1, 1, 1),
            num_heads=(1, 2, 4, 8),
            window_size=4,
            drop_path_rate=0.0,
        ),
    ),
}
# What a head adds to the options that all have, from the channels above.
HEADS = {
    'uper': lambda c: dict(
        type='UPerHead',
        in_channels=c,
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2),
        norm_cfg=SYNC_BN,
    ),
    'deeplabv3plus': lambda c: dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=c[3],
        in_index=3,
        dilations=(1, 6),
        c1_in_channels=c[0],
        c1_channels=4,
    ),
    'fcn': lambda c: dict(
        type='FCNHead',
        in_channels=c,
        in_index=[0, 1, 2, 3],
        input_transform='resize_concat',
        num_convs=1,
    ),
    'psp': lambda c: dict(
        type='PSPHead',
        in_channels=c[3],
        in_index=3,
        pool_scales=(1, 2),
        align_corners=True,
    ),
    'segformer': lambda c: dict(
        type='SegformerHead', in_channels=c, in_index=[0, 1, 2, 3]
    ),
}
CASES = list(product(HEADS, BACKBONES))
# These take a step with stock train.py: each head and each backbone.
TRAINED = [*CASES[::5], CASES[-1]]


def stock_model(head, backbone, num_classes=CLASSES):
    """A stock segmentor with two auxiliary heads."""
    channels, backbone = BACKBONES[backbone]
    auxiliary = dict(
        type='FCNHead',
        channels=8,
        num_convs=1,
        num_classes=num_classes,
        norm_cfg=BN,
    )
    decoder = dict(channels=8, norm_cfg=BN) | HEADS[head](channels)
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor', size=SIZE, pad_val=0, seg_pad_val=255
        ),
        backbone=backbone,
        decode_head=decoder | dict(num_classes=num_classes),
        auxiliary_head=[
            auxiliary | dict(in_channels=channels[i], in_index=i)
            for i in (1, 2)
        ],
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )


def box2seg_model(head, backbone, share=False, num_classes=CLASSES):
    model = stock_model(head, backbone, num_classes)
    decoder = model['decode_head']
    model['decode_head'] = dict(
        type='Box2SegHead', decoder=decoder, share_decoder=share
    )
    return model


def build(config):
    torch.manual_seed(0)
    return MODELS.build(ConfigDict(config))


@cache
def batch():
    """Two images and data samples with a box each."""
    samples = []
    for label in (1, 3):
        box_map = torch.zeros(SIZE, dtype=torch.uint8)
        box_map[10:50, 20:70] = 1
        gt = torch.zeros(1, *SIZE, dtype=torch.long)
        gt[0, 20:45, 30:60] = label % CLASSES
        gt[0, :4] = 255
        sample = SegDataSample(
            gt_sem_seg=PixelData(data=gt),
            metainfo=dict(ori_shape=ORIGINAL, img_shape=SIZE, pad_shape=SIZE),
        )
        regions = BoxRegions(
            box_map, torch.tensor([[False], [True]]), torch.tensor([label])
        )
        sample.set_data(dict(gt_box_regions=regions))
        samples.append(sample)
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, *SIZE, generator=generator), samples


def losses_of(model):
    """Of the decode head and of both auxiliary heads."""
    got = model.train().loss(*batch())
    return {name: value for name, value in got.items() if 'loss' in name}


def trained_parameters(model, losses):
    """Names of the parameters that get a gradient, which is finite."""
    sum(losses.values()).backward()
    found = set()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.isfinite(parameter.grad).all(), name
            found.add(name)
    return found


@pytest.mark.parametrize(('head', 'backbone'), CASES)
class TestContract:
    def test_forward_gives_logits_of_the_classes(self, head, backbone):
        stock = build(stock_model(head, backbone)).eval()
        model = build(box2seg_model(head, backbone)).eval()
        images, _ = batch()
        with torch.no_grad():
            want, got = stock(images), model(images)
        assert got.shape == want.shape
        assert got.shape[:2] == (2, CLASSES)
        outputs = model.decode_head.forward_train(model.extract_feat(images))
        channels = dict(attention=CLASSES - 1, embedding=64)
        for name, branch in outputs[1].items():
            size = (channels[name], *got.shape[2:])
            assert branch.shape[1:] == size

    @pytest.mark.parametrize('share', [False, True])
    def test_all_that_the_stock_model_trains_is_trained(
        self, head, backbone, share
    ):
        stock = build(stock_model(head, backbone))
        want = trained_parameters(stock, losses_of(stock))
        model = build(box2seg_model(head, backbone, share))
        losses = losses_of(model)
        names = {f'decode.{name}' for name in LOSSES}
        names |= {f'aux_{i}.loss_ce' for i in (0, 1)}
        assert losses.keys() == names
        assert all(torch.isfinite(v) for v in losses.values())
        got = trained_parameters(model, losses)
        new = 'decode_head.seg_decoder.'
        missing = {n.replace('decode_head.', new) for n in want} - got
        assert not missing
        branches = {
            name
            for name, _ in model.decode_head.named_parameters(
                prefix='decode_head'
            )
        }
        assert branches <= got

    def test_prediction_is_the_stock_models(self, head, backbone):
        """Bit for bit, with its weights."""
        stock = build(stock_model(head, backbone)).eval()
        model = build(box2seg_model(head, backbone)).eval()
        weights = {
            name.replace('decode_head.', 'decode_head.seg_decoder.'): value
            for name, value in stock.state_dict().items()
        }
        keys = model.load_state_dict(weights, strict=False)
        assert not keys.unexpected_keys
        images, samples = batch()
        with torch.no_grad():
            want = stock.predict(images, samples)
            got = model.predict(images, samples)
        for one, other in zip(want, got, strict=True):
            assert other.seg_logits.data.shape == (CLASSES, *ORIGINAL)
            assert torch.equal(one.seg_logits.data, other.seg_logits.data)
            assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)

    def test_bfloat16_losses_are_float32_and_close(self, head, backbone):
        model = build(box2seg_model(head, backbone))
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout | torch.nn.Dropout2d):
                module.p = 0.0
        want = losses_of(model)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            got = losses_of(model)
        for name in (f'decode.{name}' for name in LOSSES):
            assert got[name].dtype == torch.float32
            assert got[name].item() == pytest.approx(
                want[name].item(), rel=0.1, abs=0.01
            ), name

    @pytest.mark.slow
    def test_exported_model_without_the_plugin(self, exported, head, backbone):
        """Bit for bit the same logits."""
        want, got = exported[head, backbone]
        assert torch.equal(want, got)


@pytest.mark.slow
@pytest.mark.parametrize(('head', 'backbone'), TRAINED)
def test_a_step_with_stock_train(trained, head, backbone):
    checkpoint = torch.load(
        trained[head, backbone] / 'work/iter_1.pth', weights_only=False
    )
    logs = checkpoint['message_hub']['log_scalars']
    losses = {
        name: history.current()
        for name, history in logs.items()
        if 'loss' in name
    }
    assert {f'train/decode.{name}' for name in LOSSES} <= losses.keys()
    assert np.isfinite(list(losses.values())).all()


TRAIN = """
import sys
from box2seg_mmseg.__main__ import main
split = sys.argv.index('--cfg-options')
folders, options = sys.argv[1:split], sys.argv[split:]
for folder in folders:
    sys.argv = ['box2seg', 'train', f'{folder}/config.py']
    sys.argv += ['--work-dir', f'{folder}/work', *options]
    main()
"""
PREDICT = """
import sys; sys.modules['box2seg_mmseg'] = None
import torch
from mmseg.apis import init_model
images, *folders, out = sys.argv[1:]
images, logits = torch.load(images), {}
for folder in folders:
    files = (f'{folder}/segmentor.py', f'{folder}/segmentor.pth')
    model = init_model(*files, device='cpu')
    with torch.no_grad():
        logits[folder] = model(images)
torch.save(logits, out)
"""


def run_python(script, *arguments):
    command = [sys.executable, '-c', script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout + done.stderr


def write_config(root, case, share):
    """Write the config of a case into a folder of its own."""
    model = dict(_delete_=True, **box2seg_model(*case, share))
    folder = root / '-'.join(case)
    folder.mkdir()
    (folder / 'config.py').write_text(f"_base_ = '{SCENES}'\nmodel = {model}")
    return folder


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """Of each case the logits of the model and of the exported model.

    The exported models run in a process without the plugin.
    """
    root = tmp_path_factory.mktemp('exported')
    images, out = root / 'images.pth', root / 'logits.pth'
    torch.save(batch()[0], images)
    want, folders = {}, {}
    for i, case in enumerate(CASES):
        folder = folders[case] = write_config(root, case, share=i % 2 == 1)
        model = build(box2seg_model(*case, share=i % 2 == 1))
        losses_of(model)  # moves the running means
        with torch.no_grad():
            want[case] = model.eval()(batch()[0])
        torch.save(dict(state_dict=model.state_dict()), folder / 'model.pth')
        export_segmentor(folder / 'config.py', folder / 'model.pth', folder)
    output = run_python(PREDICT, images, *folders.values(), out)
    assert 'unexpected key' not in output and 'missing key' not in output
    got = torch.load(out)
    return {case: (want[case], got[str(folders[case])]) for case in CASES}


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """Folders of trainings of one step; half of the decoders are shared."""
    root = tmp_path_factory.mktemp('trained')
    ids = (scenes / 'ImageSets/Segmentation/train.txt').read_text().split()
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='BoxFill')),
        root / 'labels',
    )
    options = {
        'train_cfg.max_iters': 1,
        'train_dataloader.batch_size': 2,
        'train_dataloader.dataset.data_root': scenes,
        'train_dataloader.dataset.pseudo_label_dir': root / 'labels',
    }
    options |= dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    folders = {
        case: write_config(root, case, share=i % 2 == 1)
        for i, case in enumerate(TRAINED)
    }
    options = [f'{key}={value}' for key, value in options.items()]
    run_python(TRAIN, *folders.values(), '--cfg-options', *options)
    return folders
