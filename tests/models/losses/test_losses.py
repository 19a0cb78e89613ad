"""Every loss against its formula, written out pixel by pixel in float64."""

import itertools
import math
import statistics

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.autograd import gradcheck

from box2seg_mmseg.models.losses import (
    AffinityLoss,
    AttentionWeightedLoss,
    GrabCutLoss,
    affinity_loss,
    attention_weighted_loss,
    filling_rate_loss,
    grabcut_loss,
)
from box2seg_mmseg.structures import BoxRegions, TrainingStep

N, L, H, W, D = 3, 4, 5, 6, 7
IGNORE = 255


def make_batch(seed=0, num_foreground=L, dtype=torch.float64):
    """Random boxes per class, labels with ignored pixels, outputs."""
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(N, num_foreground + 1, H, W, generator=g, dtype=dtype)
    attention = torch.rand(N, num_foreground, H, W, generator=g, dtype=dtype)
    box_mask = torch.zeros(N, num_foreground + 1, H, W, dtype=torch.bool)
    for n in range(1, N):  # The first image has no box.
        for c in range(1, num_foreground + 1):
            if torch.rand((), generator=g) < 0.6 or c == n:
                y = int(torch.randint(0, H - 1, (), generator=g))
                x = int(torch.randint(0, W - 1, (), generator=g))
                box_mask[n, c, y : y + 3, x : x + 3] = True
    box_mask[:, 0] = ~box_mask[:, 1:].any(1)
    label = torch.randint(0, num_foreground + 1, (N, H, W), generator=g)
    label[torch.rand(N, H, W, generator=g) < 0.2] = IGNORE
    embeddings = torch.randn(N, D, H, W, generator=g, dtype=dtype)
    return logits.log_softmax(1), attention, box_mask, label, embeddings


def pixels():
    return itertools.product(range(H), range(W))


def brute_grabcut(log_probs, label):
    terms = [
        -log_probs[n, label[n, y, x], y, x].item()
        for n in range(N)
        for y, x in pixels()
        if label[n, y, x] != IGNORE
    ]
    return sum(terms) / len(terms) if terms else 0.0


def brute_attention(log_probs, attention, box_mask):
    fg = bg = 0.0
    for n in range(N):
        per_class = []
        for c in range(1, box_mask.shape[1]):
            area = box_mask[n, c].sum().item()
            if area:
                total = sum(
                    attention[n, c - 1, y, x].item()
                    * log_probs[n, c, y, x].item()
                    for y, x in pixels()
                    if box_mask[n, c, y, x]
                )
                per_class.append(-total / area)
        if per_class:
            fg += statistics.mean(per_class)
        outside = [
            -log_probs[n, 0, y, x].item()
            for y, x in pixels()
            if box_mask[n, 0, y, x]
        ]
        if outside:
            bg += sum(outside) / len(outside)
    return fg / N, bg / N


def brute_filling_rate(attention, box_mask, label, gamma):
    total = 0.0
    for n in range(N):
        per_class = []
        for c in range(1, box_mask.shape[1]):
            inside = [
                (attention[n, c - 1, y, x].item(), label[n, y, x].item() == c)
                for y, x in pixels()
                if box_mask[n, c, y, x] and label[n, y, x] != IGNORE
            ]
            if inside:
                rate = sum(a for a, _ in inside) / len(inside)
                eta = sum(own for _, own in inside) / len(inside)
                per_class.append(max(0.0, gamma * eta - rate))
        if per_class:
            total += statistics.mean(per_class)
    return total / N


def make_step(seed=0, dtype=torch.float32, iteration=None):
    """A training step at the size of the labels, and B by class and by box.

    Image 0 has no box; image 1 has two boxes of class 3 and one of class 1;
    image 2 has one of class 2, and one of class 4 outside the crop.
    """
    log_probs, attention, _, label, embeddings = make_batch(seed, dtype=dtype)
    boxes = [
        [],
        [(3, 0, 0, 3, 3), (3, 1, 2, W, H), (1, 2, 1, W, 4)],
        [(2, 0, 0, W, H), (4, 0, 0, 0, 0)],
    ]
    samples, single = [], []
    box_mask = torch.zeros(N, L + 1, H, W, dtype=torch.bool)
    for n, image_boxes in enumerate(boxes):
        inside = torch.zeros(len(image_boxes), H, W, dtype=torch.bool)
        for k, (c, x1, y1, x2, y2) in enumerate(image_boxes):
            inside[k, y1:y2, x1:x2] = True
            box_mask[n, c] |= inside[k]
            single.append((n, c, inside[k]))
        # A region of its own for each pixel.
        region_map = torch.arange(1, H * W + 1).view(H, W)
        table = torch.zeros(H * W + 1, len(image_boxes), dtype=torch.bool)
        table[1:] = inside.flatten(1).T
        if len(image_boxes):
            region_map[~inside.any(0)] = 0
        else:
            region_map[:] = 0
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=label[n : n + 1])
        regions = BoxRegions(
            region_map.to(torch.uint8),
            table,
            torch.tensor([box[0] for box in image_boxes]).long(),
        )
        sample.set_data(dict(gt_box_regions=regions))
        samples.append(sample)
    box_mask[:, 0] = ~box_mask[:, 1:].any(1)
    box_mask &= (label != IGNORE).unsqueeze(1)
    branches = dict(attention=attention.logit(), embedding=embeddings)
    step = TrainingStep(log_probs, branches, samples, iteration)
    return step, attention, box_mask, single


def brute_affinity(embeddings, probs, valid):
    total = 0.0
    for n in range(N):
        chosen = [(y, x) for y, x in pixels() if valid[n, y, x]]
        terms = 0.0
        for (y1, x1), (y2, x2) in itertools.product(chosen, chosen):
            e, f = embeddings[n, :, y1, x1], embeddings[n, :, y2, x2]
            cosine = e @ f / (e.norm() * f.norm())
            alike = probs[n, :, y1, x1] @ probs[n, :, y2, x2]
            terms += (cosine - alike).square().item()
        if chosen:
            total += terms / len(chosen) ** 2
    return total / N


@pytest.mark.parametrize('num_foreground', [1, L])
@pytest.mark.parametrize('seed', range(3))
class TestBruteForce:
    def test_grabcut(self, seed, num_foreground):
        log_probs, _, _, label, _ = make_batch(seed, num_foreground)
        got = grabcut_loss(log_probs, label)
        assert got.item() == pytest.approx(brute_grabcut(log_probs, label))

    def test_attention_weighted(self, seed, num_foreground):
        batch = make_batch(seed, num_foreground)[:3]
        got = attention_weighted_loss(*batch)
        assert [v.item() for v in got] == pytest.approx(
            brute_attention(*batch)
        )

    @pytest.mark.parametrize('gamma', [0.5, 1.0, 3.0])
    def test_filling_rate(self, seed, num_foreground, gamma):
        batch = make_batch(seed, num_foreground)[1:4]
        got = filling_rate_loss(*batch, gamma)
        assert got.item() == pytest.approx(brute_filling_rate(*batch, gamma))

    def test_affinity(self, seed, num_foreground):
        log_probs, _, _, label, embeddings = make_batch(seed, num_foreground)
        valid = label != IGNORE
        valid[0] = False
        probs = log_probs.exp()
        got = affinity_loss(embeddings, probs, valid)
        want = brute_affinity(embeddings, probs, valid)
        assert got.item() == pytest.approx(want)
        everything = torch.ones_like(valid)
        assert affinity_loss(embeddings, probs).item() == pytest.approx(
            brute_affinity(embeddings, probs, everything)
        )


class TestGradients:
    def test_grabcut(self):
        log_probs, _, _, label, _ = make_batch()
        log_probs.requires_grad_()
        assert gradcheck(lambda p: grabcut_loss(p, label), log_probs)

    def test_attention_weighted(self):
        log_probs, attention, box_mask, _, _ = make_batch()
        assert gradcheck(
            lambda p, a: attention_weighted_loss(p, a, box_mask),
            (log_probs.requires_grad_(), attention.requires_grad_()),
        )

    def test_filling_rate(self):
        _, attention, box_mask, label, _ = make_batch()
        attention = (0.2 * attention).requires_grad_()
        assert filling_rate_loss(attention, box_mask, label, 2.0) > 0
        assert gradcheck(
            lambda a: filling_rate_loss(a, box_mask, label, 2.0), attention
        )

    def test_affinity(self):
        log_probs, _, _, label, embeddings = make_batch()
        probs = log_probs.exp()
        assert gradcheck(
            lambda e, p: affinity_loss(e, p, label != IGNORE),
            (embeddings.requires_grad_(), probs.requires_grad_()),
        )


class TestByHand:
    """A 2 x 2 image of one class; the box is its left column."""

    box_mask = torch.tensor([[[[0, 1], [0, 1]], [[1, 0], [1, 0]]]]).bool()
    log_probs = torch.tensor(
        [[[[0.5, 0.8], [0.5, 0.9]], [[0.5, 0.2], [0.25, 0.1]]]]
    ).log()
    attention = torch.tensor([[[[1.0, 9.0], [0.5, 9.0]]]])
    label = torch.tensor([[[1, 0], [0, IGNORE]]])

    def test_grabcut(self):
        want = -(math.log(0.5) + math.log(0.8) + math.log(0.5)) / 3
        got = grabcut_loss(self.log_probs, self.label)
        assert got.item() == pytest.approx(want)

    def test_attention_weighted(self):
        fg, bg = attention_weighted_loss(
            self.log_probs, self.attention, self.box_mask
        )
        # (1 * log 2 + 0.5 * log 4) / 2 = log 2.
        assert fg.item() == pytest.approx(math.log(2))
        want = -(math.log(0.8) + math.log(0.9)) / 2
        assert bg.item() == pytest.approx(want)

    def test_filling_rate(self):
        # eta = 1/2, eta' = 3/4.
        for gamma, want in ((1.0, 0.0), (2.0, 0.25)):
            got = filling_rate_loss(
                self.attention, self.box_mask, self.label, gamma
            )
            assert got.item() == pytest.approx(want)

    def test_affinity(self):
        # Two pixels at right angles, both surely class 0: the pairs (i, j)
        # differ by 0, 1, 1, 0.
        embeddings = torch.tensor([[[[2.0, 0.0]], [[0.0, 3.0]]]])
        probs = torch.tensor([[[[1.0, 1.0]], [[0.0, 0.0]]]])
        assert affinity_loss(embeddings, probs).item() == pytest.approx(0.5)

    def test_affinity_of_a_zero_vector(self):
        # Unlike itself too: the pairs differ by 1, 1, 1, 0.
        embeddings = torch.tensor([[[[0.0, 0.0]], [[0.0, 3.0]]]])
        probs = torch.tensor([[[[1.0, 1.0]], [[0.0, 0.0]]]])
        loss = affinity_loss(embeddings.requires_grad_(), probs)
        assert loss.item() == pytest.approx(0.75)
        loss.backward()
        assert not embeddings.grad[..., 0].any()
        assert embeddings.grad.abs().max() < 1


@pytest.mark.parametrize('seed', range(3))
def test_the_attention_module_weighs_its_losses(seed):
    """L_fg and L_bg by class, L_fr box by box."""
    step, attention, box_mask, single = make_step(seed)
    module = AttentionWeightedLoss(2.0, 3.0, 5.0, gamma=6.0)
    got = module(step)
    fg, bg = brute_attention(step.log_probs, attention, box_mask)
    assert got['loss_fg'].item() == pytest.approx(2 * fg, rel=1e-4)
    assert got['loss_bg'].item() == pytest.approx(3 * bg, rel=1e-4)
    hinges = {n: [] for n in range(N)}
    for n, c, inside in single:
        if inside.any():  # each box as if it were the only one
            alone = torch.zeros_like(box_mask)
            alone[n, c] = inside
            # N times the mean over the images is this image's own.
            hinges[n].append(
                N
                * brute_filling_rate(attention, alone, step.pseudo_label, 6.0)
            )
    assert [len(v) for v in hinges.values()] == [0, 3, 1]
    want = sum(statistics.mean(v) for v in hinges.values() if v) / N
    assert got['loss_fr'].item() == pytest.approx(5 * want, rel=1e-4)
    assert got['loss_fr'].item() > 0


def test_the_warm_up_has_the_filling_rate_alone():
    warm = AttentionWeightedLoss(warmup_iters=5)
    got = warm(make_step(iteration=5)[0])
    assert {'loss_fg', 'loss_bg', 'loss_fr'} <= got.keys()
    first = warm(make_step(iteration=4)[0])
    assert first['loss_fr'] == got['loss_fr']
    assert 'loss_fg' not in first and 'loss_bg' not in first


@pytest.mark.parametrize('num_foreground', [1, L])
@pytest.mark.parametrize('case', ['no box', 'all ignored', 'box everywhere'])
def test_losses_and_gradients_are_finite(case, num_foreground):
    log_probs, attention, box_mask, label, embeddings = make_batch(
        0, num_foreground, torch.float32
    )
    if case == 'no box':
        box_mask[:, 1:] = False
        box_mask[:, 0] = True
    elif case == 'box everywhere':
        box_mask[:, 1] = True
        box_mask[:, 0] = False
    else:
        label[:] = IGNORE
        box_mask[:] = False
    outputs = [log_probs, attention, embeddings]
    for output in outputs:
        output.requires_grad_()
    losses = [
        grabcut_loss(log_probs, label),
        *attention_weighted_loss(log_probs, attention, box_mask),
        filling_rate_loss(attention, box_mask, label, 2.0),
        affinity_loss(embeddings, log_probs.exp(), label != IGNORE),
    ]
    sum(losses).backward()
    assert all(torch.isfinite(loss) for loss in losses)
    assert all(torch.isfinite(output.grad).all() for output in outputs)
    if case == 'all ignored':
        assert [loss.item() for loss in losses] == [0.0] * 5
    if case == 'no box':
        assert losses[1] == 0 and losses[3] == 0 and losses[2] > 0
    if case == 'box everywhere':
        assert losses[2] == 0 and losses[1] > 0


def test_an_infinitely_unlikely_pixel_outside_the_boxes_does_no_harm():
    log_probs, attention, box_mask, _, _ = make_batch(1)
    log_probs = log_probs.clone()
    log_probs[:, 1:][~box_mask[:, 1:]] = -math.inf
    log_probs[:, 0][~box_mask[:, 0]] = -math.inf
    log_probs.requires_grad_()
    attention.requires_grad_()
    got = attention_weighted_loss(log_probs, attention, box_mask)
    assert all(torch.isfinite(loss) for loss in got)
    sum(got).backward()
    assert torch.isfinite(log_probs.grad).all()
    assert torch.isfinite(attention.grad).all()


def test_the_affinity_is_float32_under_autocast():
    """A sum of a million squares, of which bfloat16 keeps 3 digits."""
    g = torch.Generator().manual_seed(0)
    embeddings = torch.randn(2, 16, 32, 32, generator=g)
    probs = torch.randn(2, 5, 32, 32, generator=g).softmax(1)
    want = affinity_loss(embeddings.double(), probs.double()).item()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        got = affinity_loss(embeddings, probs)
        rounded = affinity_loss(embeddings.bfloat16(), probs.bfloat16())
    assert got.dtype == rounded.dtype == torch.float32
    assert got.item() == pytest.approx(want, rel=1e-5)
    assert rounded.item() == pytest.approx(want, rel=2e-2)


def test_modules_weigh_the_functions():
    step, *_ = make_step()
    assert GrabCutLoss(2.0)(step) == dict(
        loss_gc=2 * grabcut_loss(step.log_probs, step.pseudo_label)
    )
    embeddings, probs = step.branches['embedding'], step.seg_logits.softmax(1)
    got = AffinityLoss(3.0)(step)['loss_affinity']
    want = affinity_loss(embeddings, probs, step.pseudo_label != IGNORE)
    assert got.item() == pytest.approx(3 * want.item())


def test_the_affinity_teaches_embeddings_and_predictions():
    step, *_ = make_step()
    leaves = [step.seg_logits, step.branches['embedding']]
    for leaf in leaves:
        leaf.requires_grad_()
    AffinityLoss()(step)['loss_affinity'].backward()
    assert all(leaf.grad.abs().max() > 0 for leaf in leaves)


def test_statistics_are_means_over_images_that_have_a_box():
    step, attention, box_mask, single = make_step()
    got = AttentionWeightedLoss(gamma=0.5)(step)
    rates = {n: [] for n in range(N)}
    for n, c, inside in single:
        inside = inside & (step.pseudo_label[n] != IGNORE)
        if inside.any():
            own = step.pseudo_label[n][inside] == c
            alpha = attention[n, c - 1][inside].mean().item()
            rates[n].append((alpha, own.float().mean().item()))
    means = [
        [statistics.mean(values) for values in zip(*boxes, strict=True)]
        for boxes in rates.values()
        if boxes
    ]
    alpha, own = (statistics.mean(v) for v in zip(*means, strict=True))
    assert got['attention_in_boxes'].item() == pytest.approx(alpha, rel=1e-5)
    assert got['gamma_eta'].item() == pytest.approx(0.5 * own, rel=1e-5)
    assert not box_mask[0, 1:].any()


def test_arguments_that_do_not_fit_are_named():
    log_probs, attention, box_mask, label, embeddings = make_batch()
    with pytest.raises(ValueError, match='box_mask must have shape'):
        attention_weighted_loss(log_probs, attention, box_mask[:, 1:])
    with pytest.raises(ValueError, match='attention must have shape'):
        attention_weighted_loss(log_probs, log_probs, box_mask)
    with pytest.raises(ValueError, match='pseudo_label must have shape'):
        filling_rate_loss(attention, box_mask, label[:, None], 0.7)
    with pytest.raises(ValueError, match='probs must have shape'):
        affinity_loss(embeddings, log_probs[..., 1:])
    with pytest.raises(ValueError, match='valid must have shape'):
        affinity_loss(embeddings, log_probs, label[:1] == 0)
