import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from box2seg_mmseg.models.losses import (
    Box2SegLoss,
    affinity_loss,
    attention_weighted_loss,
    filling_rate_loss,
    grabcut_loss,
)
from box2seg_mmseg.structures import BoxRegions

UPER = dict(
    type='UPerHead',
    in_channels=[4, 8],
    in_index=[0, 1],
    pool_scales=(1, 2),
    channels=8,
    dropout_ratio=0.0,
)
FCN = dict(type='FCNHead', in_channels=8, in_index=1, channels=8, num_convs=1)
ASPP = dict(
    type='ASPPHead', in_channels=8, in_index=1, channels=8, dilations=(1, 2)
)


def losses(off=(), **options):
    """The three losses' configs, without some, with some options changed."""
    result = dict(GrabCutLoss={}, AttentionWeightedLoss={}, AffinityLoss={})
    result['AffinityLoss'] = dict(embedding_channels=6)
    for name in off:
        del result[name]
    for name, more in options.items():
        result[name] |= more
    return [dict(type=name, **more) for name, more in result.items()]


def build(num_classes=5, decoder=UPER, **kwargs):
    torch.manual_seed(0)  # the same weights in every run
    config = dict(
        type='Box2SegHead',
        decoder=dict(decoder, num_classes=num_classes),
        losses=losses(),
    )
    return MODELS.build(config | kwargs)


def features(n=2, seed=0):
    g = torch.Generator().manual_seed(seed)
    return (
        torch.randn(n, 4, 16, 16, generator=g),
        torch.randn(n, 8, 8, 8, generator=g),
    )


def sample(label, box_map, labels, *rows):
    """A data sample; a row tells which boxes cover a region, from the first.

    Args:
        label: The pseudo label.
        box_map: Its region ids.
        labels: The class of each box.
        rows: Of each region the boxes that cover it.
    """
    table = torch.zeros(len(rows) + 1, len(labels), dtype=torch.bool)
    for row, boxes in enumerate(rows, start=1):
        table[row, list(boxes)] = True
    result = SegDataSample()
    result.gt_sem_seg = PixelData(data=label[None])
    regions = BoxRegions(
        box_map.to(torch.uint8), table, torch.tensor(labels).long()
    )
    result.set_data(dict(gt_box_regions=regions))
    return result


def two_samples():
    """Classes 2 and 4 overlap in the first image; the second has class 1.

    The second box map is smaller, as mmseg's padding leaves it.
    """
    box_map = torch.zeros(64, 64)
    box_map[8:40, 8:40] = 1
    box_map[30:60, 30:60] = 2
    box_map[30:40, 30:40] = 3
    label = torch.zeros(64, 64, dtype=torch.long)
    label[12:36, 12:30] = 2
    label[40:56, 40:56] = 4
    label[:4] = 255
    first = sample(label, box_map, [2, 4], {0}, {1}, {0, 1})
    box_map = torch.zeros(64, 48)
    box_map[:32] = 1
    label = torch.zeros(64, 64, dtype=torch.long)
    label[:, 48:] = 255
    label[:16, :48] = 1
    return [first, sample(label, box_map, [1], {0})]


def dense_boxes(samples, num_classes):
    """B ``(N, L + 1, H, W)`` by brute force."""
    masks = []
    for item in samples:
        label, regions = item.gt_sem_seg.data[0], item.gt_box_regions
        mask = torch.zeros(num_classes, *label.shape, dtype=torch.bool)
        for y in range(regions.map.shape[0]):
            for x in range(regions.map.shape[1]):
                region = int(regions.map[y, x])
                if label[y, x] == 255 or region == 255:
                    continue
                covering = regions.labels[regions.table[region]].tolist()
                mask[covering or [0], y, x] = True
        masks.append(mask)
    return torch.stack(masks)


@pytest.mark.parametrize('share', [False, True])
def test_losses_are_the_functions_of_all_classes(share):
    """The head looks at boxed classes alone; that must change nothing."""
    head = build(share_decoder=share).train()
    samples, inputs = two_samples(), features()
    outputs = head.forward_train(inputs)
    got = head.loss_by_feat(outputs, samples)

    full, attention = (
        torch.nn.functional.interpolate(
            v, (64, 64), mode='bilinear', align_corners=False
        )
        for v in (outputs[0], outputs[1]['attention'])
    )
    log_probs = full.log_softmax(1)
    attention = attention.sigmoid()
    label = torch.cat([item.gt_sem_seg.data for item in samples])
    boxes = dense_boxes(samples, 5)
    _, weights, affinity = head.losses
    fg, bg = attention_weighted_loss(log_probs, attention, boxes)
    small = label[:, ::4, ::4]
    want = dict(
        loss_gc=grabcut_loss(log_probs, label),
        loss_fg=weights.fg_weight * fg,
        loss_bg=weights.bg_weight * bg,
        loss_fr=weights.fr_weight
        * filling_rate_loss(attention, boxes, label, weights.gamma),
        loss_affinity=affinity.loss_weight
        * affinity_loss(
            outputs[1]['embedding'], outputs[0].softmax(1), small != 255
        ),
        ignored=(label == 255).float().mean(),
    )
    for name, value in want.items():
        assert got[name].item() == pytest.approx(value.item(), rel=1e-4), name

    own = torch.stack([label == c for c in range(1, 5)], 1)
    for name, chosen in (('on', own), ('off', ~own)):
        mask = boxes[:, 1:] & chosen
        assert got[f'attention_{name}_grabcut'].item() == pytest.approx(
            attention[mask].mean().item(), rel=1e-4
        )
    eta = [
        (own[n, c - 1] & boxes[n, c]).sum() / boxes[n, c].sum()
        for n, c in ((0, 2), (0, 4), (1, 1))
    ]
    assert got['gamma_eta'].item() == pytest.approx(
        weights.gamma * ((eta[0] + eta[1]) / 2 + eta[2]).item() / 2, rel=1e-4
    )


def test_filling_rates_are_taken_box_by_box():
    """Two boxes of one class: one GrabCut fills, one it leaves empty."""
    head = build(losses=losses(off=['AffinityLoss'])).train()
    box_map = torch.zeros(64, 64)
    box_map[:20, :20] = 1
    box_map[40:, 40:] = 2
    label = torch.zeros(64, 64, dtype=torch.long)
    label[:20, :20] = 3
    # The last box is outside the crop, and the only one of its class.
    apart = sample(label, box_map, [3, 3, 1], {0}, {1})
    as_one = sample(label, box_map, [3], {0}, {0})
    seg_logits, branches = head.forward_train(features(n=1))
    attention = torch.zeros_like(branches['attention'])  # alpha = 0.5
    weights = head.losses[1]
    got = {
        name: head.loss_by_feat((seg_logits, dict(attention=attention)), [one])
        for name, one in (('class', as_one), ('box', apart))
    }
    filled, empty = 20 * 20, 24 * 24
    eta = filled / (filled + empty)
    by_hand = dict(
        box=((weights.gamma - 0.5) + 0) / 2,
        **{'class': max(weights.gamma * eta - 0.5, 0)},
    )
    for name, value in by_hand.items():
        assert got[name]['loss_fr'].item() == pytest.approx(
            weights.fr_weight * value, abs=1e-6
        )
    assert by_hand['box'] > 0
    assert got['box']['loss_fg'] == got['class']['loss_fg']


def test_only_losses_have_loss_in_their_name():
    """mmengine sums every value whose name contains it."""
    losses = build().train().loss(features(), two_samples(), None)
    named = {name for name in losses if 'loss' in name}
    assert named == {
        'loss_gc',
        'loss_fg',
        'loss_bg',
        'loss_fr',
        'loss_affinity',
    }


@pytest.mark.parametrize('share', [False, True])
@pytest.mark.parametrize('decoder', [UPER, FCN, ASPP])
def test_every_parameter_of_any_stock_decoder_learns(decoder, share):
    head = build(decoder=decoder, share_decoder=share).train()
    losses = head.loss(features(), two_samples(), None)
    sum(v for name, v in losses.items() if 'loss' in name).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad.abs() < 1e3).all(), name


def test_branches_may_have_narrower_decoders():
    head = build(branch_decoder=dict(channels=4)).train()
    assert head.seg_decoder.channels == 8
    assert head.attention_decoder.channels == 4
    assert head.attention_decoder.conv_seg.out_channels == 4
    assert head.embedding_decoder.conv_seg.in_channels == 4
    losses = head.loss(features(), two_samples(), None)
    sum(v for name, v in losses.items() if 'loss' in name).backward()
    assert all(p.grad is not None for p in head.parameters())
    with pytest.raises(ValueError, match='no effect with share_decoder'):
        build(branch_decoder=dict(channels=4), share_decoder=True)


@pytest.mark.parametrize('share', [False, True])
def test_at_test_time_it_is_the_stock_head(share):
    head = build(share_decoder=share).eval()
    stock = MODELS.build(dict(UPER, num_classes=5)).eval()
    prefix = 'seg_decoder.'
    stock.load_state_dict(
        {
            name.removeprefix(prefix): value
            for name, value in head.state_dict().items()
            if name.startswith(prefix)
        }
    )
    calls = []
    for name, module in head.named_modules():
        module.register_forward_hook(lambda *_, name=name: calls.append(name))
    inputs = features()
    assert torch.equal(head(inputs), stock(inputs))
    metas = [dict(img_shape=(64, 64), pad_shape=(64, 64))] * 2
    assert torch.equal(
        head.predict(inputs, metas, None), stock.predict(inputs, metas, None)
    )
    assert not any('attention' in c or 'embedding' in c for c in calls)


@pytest.mark.parametrize(
    'config',
    [
        losses(off=['AttentionWeightedLoss', 'AffinityLoss']),
        losses(
            AttentionWeightedLoss=dict(fg_weight=0, bg_weight=0, fr_weight=0),
            AffinityLoss=dict(loss_weight=0),
        ),
    ],
)
def test_a_loss_that_is_off_has_no_decoder(config):
    head = build(losses=config).train()
    got = head.loss(features(), two_samples(), None)
    assert set(got) == {'loss_gc', 'acc_seg', 'ignored'}
    assert all(n.startswith('seg_decoder.') for n in head.state_dict())


@pytest.mark.parametrize('share', [False, True])
@pytest.mark.parametrize(
    'off', [[], ['AttentionWeightedLoss'], ['AffinityLoss']]
)
def test_weights_are_initialised_whatever_loss_is_off(share, off):
    head = build(share_decoder=share, losses=losses(off=off))
    head.init_weights()
    for name, parameter in head.named_parameters():
        if name.endswith(('conv_seg.weight', '_conv.weight')):
            assert 0 < parameter.abs().max() < 0.1, name


@pytest.mark.parametrize('share', [False, True])
def test_phases_follow_the_iteration_of_the_run(share):
    head = build(
        share_decoder=share,
        losses=losses(
            AttentionWeightedLoss=dict(warmup_iters=5),
            AffinityLoss=dict(pretrain_iters=8),
        ),
    ).train()
    hub = MessageHub.get_instance('test_phases_follow')
    outputs = head.forward_train(features())
    label = torch.cat([s.gt_sem_seg.data for s in two_samples()])[:, ::4, ::4]
    valid = label != 255
    one_hot = torch.nn.functional.one_hot(label.masked_fill(~valid, 0), 5)
    one_hot = one_hot.permute(0, 3, 1, 2).float()
    weight = head.losses[2].loss_weight
    pretrain, joint = (
        weight * affinity_loss(outputs[1]['embedding'], probs, valid).item()
        for probs in (one_hot, outputs[0].softmax(1))
    )
    assert abs(pretrain - joint) > 1e-3
    for iteration, warm, affinity in (
        (0, True, pretrain),
        (4, True, pretrain),
        (5, False, pretrain),
        (7, False, pretrain),
        (8, False, joint),
    ):
        hub.update_info('iter', iteration)
        got = head.loss_by_feat(outputs, two_samples())
        assert ('loss_fg' not in got) == warm
        assert ('loss_bg' not in got) == warm
        assert 'loss_fr' in got
        assert got['loss_affinity'].item() == pytest.approx(affinity)
    hub.pop_info('iter')
    assert 'loss_fg' in head.loss_by_feat(outputs, two_samples())


def _all(value, box, ignored=False):
    label = torch.full((64, 64), 255 if ignored else value)
    return sample(label, torch.full((64, 64), box), [1], {0})


@pytest.mark.parametrize('num_classes', [2, 5])
@pytest.mark.parametrize(
    'samples',
    [
        [_all(0, box=0)] * 2,
        [sample(torch.zeros(64, 64).long(), torch.zeros(64, 64), [])] * 2,
        [_all(1, box=1)] * 2,
        [_all(0, box=1)] * 2,
        [_all(0, box=255, ignored=True)] * 2,
        [_all(0, box=0), _all(1, box=1)],
    ],
    ids=[
        'box outside the crop',
        'no box',
        'box over the crop',
        'no GrabCut',
        'ignored',
        'mixed',
    ],
)
def test_awkward_batches_train(num_classes, samples):
    head = build(num_classes).train()
    got = head.loss(features(), samples, None)
    assert all(torch.isfinite(v).all() for v in got.values())
    sum(v for name, v in got.items() if 'loss' in name).backward()
    for name, parameter in head.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name


def test_bfloat16_outputs_give_float32_losses():
    head = build().train()
    outputs = head.forward_train(features())
    want = head.loss_by_feat(outputs, two_samples())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        got = head.loss_by_feat(
            (
                outputs[0].bfloat16(),
                {name: v.bfloat16() for name, v in outputs[1].items()},
            ),
            two_samples(),
        )
        same = head.loss_by_feat(outputs, two_samples())
    for name, value in want.items():
        assert torch.equal(same[name], value), name
        if 'loss' in name:
            assert got[name].dtype == torch.float32
            assert got[name].item() == pytest.approx(value.item(), rel=0.05)


@pytest.mark.parametrize(
    'old', ['loss_grabcut', 'loss_affinity', 'warmup_iters']
)
def test_old_arguments_are_shown_in_their_new_form(old):
    with pytest.raises(TypeError, match=rf'no longer takes {old}.*losses=\['):
        build(**{old: None})


def test_a_loss_of_mmseg_is_refused():
    with pytest.raises(TypeError, match=r'Box2SegLoss.*Got: CrossEntropyLoss'):
        build(losses=[dict(type='CrossEntropyLoss')])


def test_an_unknown_argument_is_named():
    with pytest.raises(TypeError, match=r'has no argument loss;.*_delete_'):
        build(loss=None)


def test_the_number_of_classes_is_required():
    with pytest.raises(ValueError, match='needs num_classes'):
        MODELS.build(dict(type='Box2SegHead', decoder=UPER, losses=losses()))


@MODELS.register_module()
class BrightnessLoss(Box2SegLoss):
    """A loss of somebody else's package: the branch should give brightness."""

    def __init__(self, channels=1):
        super().__init__()
        self.channels = channels

    def branch_channels(self, num_classes):
        return dict(brightness=self.channels)

    def forward(self, step):
        target = torch.stack([s.brightness for s in step.data_samples])
        branch = step.resize(step.branches['brightness'])
        return dict(loss_brightness=(branch - target).square().mean())


@pytest.mark.parametrize('share', [False, True])
def test_a_loss_of_another_package_brings_its_branch(share):
    config = [*losses(), dict(type='BrightnessLoss')]
    head = build(share_decoder=share, losses=config).train()
    samples = two_samples()
    for one in samples:
        one.set_data(dict(brightness=torch.rand(1, 64, 64)))
    got = head.loss(features(), samples, None)
    got['loss_brightness'].backward()
    names = ('brightness_conv', 'brightness_decoder')
    learned = [
        parameter.grad is not None
        for name, parameter in head.named_parameters()
        if name.startswith(names)
    ]
    assert learned and all(learned)


def test_branches_of_one_name_must_agree():
    two = [dict(type='BrightnessLoss', channels=c) for c in (1, 2)]
    with pytest.raises(ValueError, match=r"'brightness', with 1 and 2"):
        build(losses=two)
    assert build(losses=two[:1] * 2).branch_channels == dict(brightness=1)


def test_samples_without_boxes_are_named():
    head = build().train()
    samples = two_samples()
    del samples[1].gt_box_regions
    with pytest.raises(ValueError, match=r'LoadBoxes.*PackBox2SegInputs'):
        head.loss(features(), samples, None)
    alone = build(losses=[dict(type='GrabCutLoss')]).train()
    assert 'loss_gc' in alone.loss(features(), samples, None)


def test_another_number_of_classes_is_refused():
    head, samples = build(num_classes=5).train(), two_samples()
    samples[0].set_metainfo(dict(num_classes=4))
    with pytest.raises(ValueError, match=r'has 5 classes.*dataset 4'):
        head.loss(features(), samples, None)


def test_suspicious_pixels_are_in_no_loss():
    samples = two_samples()
    label = torch.cat([one.gt_sem_seg.data for one in samples])
    maps = [one.gt_box_regions.padded_map((64, 64)) for one in samples]
    options = dict(threshold=0, halo=0, warmup_iters=0)
    head = build(ignore_suspects=options)
    plain = build()
    got = head.loss(features(), samples, None)
    ignored = (label == 255) | (torch.stack(maps) == 0)
    assert got['ignored'] == pytest.approx(ignored.float().mean().item())
    assert got['loss_bg'] == 0
    # As if the pipeline had ignored them.
    for one, mask in zip(samples, ignored, strict=True):
        one.gt_sem_seg.data = one.gt_sem_seg.data.masked_fill(mask, 255)
    want = plain.loss(features(), samples, None)
    assert got.keys() == want.keys()
    for key, value in want.items():
        torch.testing.assert_close(got[key], value, msg=key)
