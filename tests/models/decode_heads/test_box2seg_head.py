import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from box2seg_mmseg.models.losses import (
    affinity_loss,
    attention_weighted_loss,
    filling_rate_loss,
    grabcut_loss,
)

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


def build(num_classes=5, decoder=UPER, **kwargs):
    torch.manual_seed(0)  # the same weights in every run
    return MODELS.build(
        dict(
            dict(
                type='Box2SegHead',
                decoder=dict(decoder, num_classes=num_classes),
                embedding_channels=6,
            ),
            **kwargs,
        )
    )


def features(n=2, seed=0):
    g = torch.Generator().manual_seed(seed)
    return (
        torch.randn(n, 4, 16, 16, generator=g),
        torch.randn(n, 8, 8, 8, generator=g),
    )


def sample(label, box_map, table):
    result = SegDataSample()
    result.gt_sem_seg = PixelData(data=label[None])
    result.set_data(
        dict(
            gt_box_map=PixelData(data=box_map[None].to(torch.uint8)),
            box_region_classes=table,
        )
    )
    return result


def table(num_classes, *sets):
    result = torch.zeros(len(sets) + 1, num_classes, dtype=torch.bool)
    result[0, 0] = True
    for row, classes in enumerate(sets, start=1):
        result[row, list(classes)] = True
    return result


def two_samples(num_classes=5):
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
    first = sample(label, box_map, table(num_classes, {2}, {4}, {2, 4}))
    box_map = torch.zeros(64, 48)
    box_map[:32] = 1
    label = torch.zeros(64, 64, dtype=torch.long)
    label[:, 48:] = 255
    label[:16, :48] = 1
    return [first, sample(label, box_map, table(num_classes, {1}))]


def dense_boxes(samples, num_classes):
    """B ``(N, L + 1, H, W)`` by brute force."""
    masks = []
    for item in samples:
        label = item.gt_sem_seg.data[0]
        small, rows = item.gt_box_map.data[0], item.box_region_classes
        mask = torch.zeros(num_classes, *label.shape, dtype=torch.bool)
        for y in range(small.shape[0]):
            for x in range(small.shape[1]):
                if label[y, x] != 255 and small[y, x] != 255:
                    mask[:, y, x] = rows[int(small[y, x])]
        masks.append(mask)
    return torch.stack(masks)


def _softmax_beside_0(logits):
    background = torch.ones_like(logits[:, :1])
    exponentials = logits.exp()
    return exponentials / (background + exponentials.sum(1, keepdim=True))


@pytest.mark.parametrize('activation', ['sigmoid', 'softmax'])
@pytest.mark.parametrize('share', [False, True])
def test_losses_are_the_functions_of_all_classes(share, activation):
    """The head looks at boxed classes alone; that must change nothing."""
    head = build(share_decoder=share, attention_activation=activation).train()
    samples, inputs = two_samples(), features()
    outputs = head.forward_train(inputs)
    got = head.loss_by_feat(outputs, samples)

    full, attention = (
        torch.nn.functional.interpolate(
            v, (64, 64), mode='bilinear', align_corners=False
        )
        for v in outputs[:2]
    )
    log_probs = full.log_softmax(1)
    activate = dict(sigmoid=torch.sigmoid, softmax=_softmax_beside_0)
    attention = activate[activation](attention)
    label = torch.cat([item.gt_sem_seg.data for item in samples])
    boxes = dense_boxes(samples, 5)
    weights = head.loss_attention
    fg, bg = attention_weighted_loss(log_probs, attention, boxes)
    small = label[:, ::4, ::4]
    want = dict(
        loss_gc=grabcut_loss(log_probs, label),
        loss_fg=weights.fg_weight * fg,
        loss_bg=weights.bg_weight * bg,
        loss_fr=weights.fr_weight
        * filling_rate_loss(attention, boxes, label, weights.gamma),
        loss_affinity=head.loss_affinity.loss_weight
        * affinity_loss(outputs[2], outputs[0].softmax(1), small != 255),
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


def test_filling_rates_are_taken_box_by_box_where_told_apart():
    """Two boxes of one class: one GrabCut fills, one it leaves empty."""
    head = build(loss_affinity=None).train()
    box_map = torch.zeros(64, 64)
    box_map[:20, :20] = 1
    box_map[40:, 40:] = 2
    label = torch.zeros(64, 64, dtype=torch.long)
    label[:20, :20] = 3
    item = sample(label, box_map, table(5, {3}, {3}))
    apart = sample(label, box_map, table(5, {3}, {3}))
    apart.set_data(
        dict(
            box_region_boxes=torch.tensor(
                [[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.bool
            ),
            # The last box is outside the crop, and the only one of its class.
            box_region_labels=torch.tensor([3, 3, 1]),
        )
    )
    seg_logits, attention, _ = head.forward_train(features(n=1))
    attention = torch.full_like(attention, 0.0)  # alpha = 0.5
    gamma = head.loss_attention.gamma
    got = {
        name: head.loss_by_feat((seg_logits, attention, None), [one])
        for name, one in (('class', item), ('box', apart))
    }
    filled, empty = 20 * 20, 24 * 24
    eta = filled / (filled + empty)
    by_hand = dict(
        box=((gamma - 0.5) + 0) / 2, **{'class': max(gamma * eta - 0.5, 0)}
    )
    for name, value in by_hand.items():
        assert got[name]['loss_fr'].item() == pytest.approx(
            head.loss_attention.fr_weight * value, abs=1e-6
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
    ('attention', 'affinity'),
    [
        (None, None),
        (
            dict(
                type='AttentionWeightedLoss',
                fg_weight=0,
                bg_weight=0,
                fr_weight=0,
            ),
            dict(type='AffinityLoss', loss_weight=0),
        ),
    ],
)
def test_a_loss_that_is_off_has_no_decoder(attention, affinity):
    head = build(loss_attention=attention, loss_affinity=affinity).train()
    losses = head.loss(features(), two_samples(), None)
    assert set(losses) == {'loss_gc', 'acc_seg', 'ignored'}
    assert all(n.startswith('seg_decoder.') for n in head.state_dict())


@pytest.mark.parametrize('share', [False, True])
@pytest.mark.parametrize('off', ['loss_attention', 'loss_affinity', None])
def test_weights_are_initialised_whatever_loss_is_off(share, off):
    head = build(share_decoder=share, **({off: None} if off else {}))
    head.init_weights()
    for name, parameter in head.named_parameters():
        if name.endswith(('conv_seg.weight', '_conv.weight')):
            assert 0 < parameter.abs().max() < 0.1, name


@pytest.mark.parametrize('share', [False, True])
def test_phases_follow_the_iteration_of_the_run(share):
    head = build(
        share_decoder=share, warmup_iters=5, embedding_pretrain_iters=8
    ).train()
    hub = MessageHub.get_instance('test_phases_follow')
    outputs = head.forward_train(features())
    label = torch.cat([s.gt_sem_seg.data for s in two_samples()])[:, ::4, ::4]
    valid = label != 255
    one_hot = torch.nn.functional.one_hot(label.masked_fill(~valid, 0), 5)
    one_hot = one_hot.permute(0, 3, 1, 2).float()
    weight = head.loss_affinity.loss_weight
    pretrain, joint = (
        weight * affinity_loss(outputs[2], probs, valid).item()
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
        losses = head.loss_by_feat(outputs, two_samples())
        assert ('loss_fg' not in losses) == warm
        assert ('loss_bg' not in losses) == warm
        assert 'loss_fr' in losses
        assert losses['loss_affinity'].item() == pytest.approx(affinity)
    hub.pop_info('iter')
    assert 'loss_fg' in head.loss_by_feat(outputs, two_samples())


def _all(value, num_classes, box, ignored=False):
    label = torch.full((64, 64), 255 if ignored else value)
    return sample(label, torch.full((64, 64), box), table(num_classes, {1}))


@pytest.mark.parametrize('num_classes', [2, 5])
@pytest.mark.parametrize(
    'samples',
    [
        lambda n: [_all(0, n, box=0)] * 2,
        lambda n: [_all(1, n, box=1)] * 2,
        lambda n: [_all(0, n, box=1)] * 2,
        lambda n: [_all(0, n, box=255, ignored=True)] * 2,
        lambda n: [_all(0, n, box=0), _all(1, n, box=1)],
    ],
    ids=['no box', 'box over the crop', 'no GrabCut', 'ignored', 'mixed'],
)
def test_awkward_batches_train(num_classes, samples):
    head = build(num_classes).train()
    losses = head.loss(features(), samples(num_classes), None)
    assert all(torch.isfinite(v).all() for v in losses.values())
    sum(v for name, v in losses.items() if 'loss' in name).backward()
    for name, parameter in head.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name


def test_bfloat16_outputs_give_float32_losses():
    head = build().train()
    outputs = head.forward_train(features())
    want = head.loss_by_feat(outputs, two_samples())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        got = head.loss_by_feat(
            tuple(v.bfloat16() for v in outputs), two_samples()
        )
        same = head.loss_by_feat(outputs, two_samples())
    for name, value in want.items():
        assert torch.equal(same[name], value), name
        if 'loss' in name:
            assert got[name].dtype == torch.float32
            assert got[name].item() == pytest.approx(value.item(), rel=0.05)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match=r"sigmoid or softmax\. Got: 'relu'"):
        build(attention_activation='relu')
