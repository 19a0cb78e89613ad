"""What holds for Box2SegHead over any stock head, on any backbone."""

import subprocess
import sys

import pytest
import torch
from head_cases import (
    CASES,
    CLASSES,
    SIZE,
    box2seg_model,
    stock_model,
    write_config,
)
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from box2seg_mmseg.apis.export_segmentor import export_segmentor
from box2seg_mmseg.structures import BoxRegions

LOSSES = {'loss_gc', 'loss_fg', 'loss_bg', 'loss_fr', 'loss_affinity'}
ORIGINAL = (53, 131)


def build(config):
    torch.manual_seed(0)
    return MODELS.build(ConfigDict(config))


def batch():
    """Two images and data samples with a box each."""
    samples = []
    for label in (1, 3):
        box_map = torch.zeros(SIZE, dtype=torch.uint8)
        box_map[10:50, 20:70] = 1
        gt = torch.zeros(1, *SIZE, dtype=torch.long)
        gt[0, 20:45, 30:60] = label
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
        assert {name.replace('decode_head.', new) for name in want} <= got
        names = {name for name, _ in model.named_parameters()}
        assert {n for n in names if n.startswith('decode_head.')} <= got

    def test_prediction_is_the_stock_models(self, head, backbone):
        """Bit for bit, with its weights."""
        stock = build(stock_model(head, backbone)).eval()
        model = build(box2seg_model(head, backbone)).eval()
        torch.nn.init.normal_(stock.decode_head.conv_seg.weight)
        weights = {
            name.replace('decode_head.', 'decode_head.seg_decoder.'): value
            for name, value in stock.state_dict().items()
        }
        keys = model.load_state_dict(weights, strict=False)
        assert not keys.unexpected_keys
        with torch.no_grad():
            want, got = stock.predict(*batch()), model.predict(*batch())
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
    command = [sys.executable, '-c', PREDICT, images, *folders.values(), out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    assert 'unexpected key' not in output and 'missing key' not in output
    got = torch.load(out)
    return {case: (want[case], got[str(folders[case])]) for case in CASES}
