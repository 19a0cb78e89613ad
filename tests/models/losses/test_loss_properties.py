"""Losses of images of any size against dense sums in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.models.losses import (
    affinity_loss,
    attention_weighted_loss,
    filling_rate_loss,
)
from box2seg_mmseg.models.losses.grabcut_loss import grabcut_loss

IGNORE = 255


@st.composite
def batches(draw):
    """Log-probabilities, attention, boxes, labels and embeddings."""
    n, c = draw(st.integers(1, 3)), draw(st.integers(2, 4))
    h, w = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.1, 1, 20]))
    logits = torch.from_numpy(spread * rng.normal(size=(n, c, h, w)))
    attention = rng.random((n, c - 1, h, w)).round(rng.integers(0, 4))
    boxes = np.zeros((n, c, h, w), bool)
    for i in range(n):
        for _ in range(draw(st.integers(0, 3))):
            y, x = rng.integers(h), rng.integers(w)
            y2, x2 = rng.integers(y, h) + 1, rng.integers(x, w) + 1
            boxes[i, rng.integers(1, c), y:y2, x:x2] = True
    boxes[:, 0] = ~boxes[:, 1:].any(1)
    label = rng.integers(0, c, (n, h, w))
    label[rng.random((n, h, w)) < draw(st.sampled_from([0, 0.3, 1]))] = IGNORE
    embeddings = rng.normal(size=(n, draw(st.integers(1, 4)), h, w))
    embeddings[:, :, rng.random((h, w)) < 0.1] = 0
    return logits.log_softmax(1), *map(
        torch.from_numpy, (attention, boxes, label, embeddings)
    )


def _mean(values):
    return sum(values) / len(values) if len(values) else 0.0


@given(batches())
def test_grabcut(batch):
    log_probs, _, _, label, _ = (value.numpy() for value in batch)
    terms = [
        -log_probs[(i, label[i, y, x], y, x)]
        for i, y, x in zip(*np.nonzero(label != IGNORE), strict=True)
    ]
    got = grabcut_loss(batch[0], batch[3]).item()
    assert got == pytest.approx(_mean(terms))


@given(batches())
def test_attention(batch):
    log_probs, attention, boxes, _, _ = (value.numpy() for value in batch)
    fg, bg = [], []
    for log_y, alpha, box in zip(log_probs, attention, boxes, strict=True):
        classes = [c for c in range(1, len(box)) if box[c].any()]
        terms = [-(alpha[c - 1] * log_y[c])[box[c]].mean() for c in classes]
        fg.append(_mean(terms))
        bg.append(_mean(-log_y[0][box[0]]))
    got = attention_weighted_loss(*batch[:3])
    want = [_mean(fg), _mean(bg)]
    assert [v.item() for v in got] == pytest.approx(want)


@given(batches(), st.floats(0, 3))
def test_filling_rate(batch, gamma):
    _, attention, boxes, labels, _ = (value.numpy() for value in batch)
    losses = []
    for alpha, box, label in zip(attention, boxes, labels, strict=True):
        terms = []
        for c in range(1, len(box)):
            inside = box[c] & (label != IGNORE)
            if inside.any():
                eta = (label[inside] == c).mean()
                terms.append(max(0, gamma * eta - alpha[c - 1][inside].mean()))
        losses.append(_mean(terms))
    got = filling_rate_loss(*batch[1:4], gamma).item()
    assert got == pytest.approx(_mean(losses), abs=1e-12)


@given(batches())
def test_affinity(batch):
    log_probs, _, _, labels, embeddings = (value.numpy() for value in batch)
    losses = []
    for log_y, label, e in zip(log_probs, labels, embeddings, strict=True):
        valid = label != IGNORE
        features, probs = e[:, valid].T, np.exp(log_y[:, valid]).T
        norm = np.linalg.norm(features, axis=1, keepdims=True)
        unit = np.divide(
            features, norm, out=np.zeros_like(features), where=norm > 0
        )
        losses.append(_mean(((unit @ unit.T - probs @ probs.T) ** 2).ravel()))
    got = affinity_loss(batch[4], batch[0].exp(), batch[3] != IGNORE).item()
    assert got == pytest.approx(_mean(losses), abs=1e-12)
