import sys

import numpy as np
import pytest
import torch
from mmseg.structures import SegDataSample

from box2seg_mmseg.models.post_processing import CRFRefiner, DenseCRF

pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")


def _scene(seed=0, classes=4, size=(12, 15)):
    """Two flat colours; probabilities that lean to the right class."""
    rng = np.random.default_rng(seed)
    image = np.full((*size, 3), 60, np.uint8)
    image[3:9, 4:11] = 200
    truth = np.zeros(size, int)
    truth[3:9, 4:11] = 1
    logits = rng.normal(0, 1.5, (classes, *size))
    logits += 1.5 * (np.arange(classes)[:, None, None] == truth)
    probs = np.exp(logits) / np.exp(logits).sum(0)
    return image, probs.astype(np.float32), truth


def _mean_field(image, probs, crf):
    """The formula, pair by pair, in float64.

    As the library has it: kernels without the pixel itself count in the
    message by their symmetric normalisation, which here is that of the whole
    kernel, D^-1/2 K D^-1/2.
    """
    classes, height, width = probs.shape
    y, x = np.mgrid[:height, :width]
    place = np.stack([x, y], -1).reshape(-1, 2).astype(float)
    colour = image.reshape(-1, 3).astype(float)

    def kernel(*features):
        total = sum(
            ((f[:, None] - f[None]) ** 2).sum(-1) / (2 * s**2)
            for f, s in features
        )
        k = np.exp(-total)
        norm = 1 / np.sqrt(k.sum(1))
        return norm[:, None] * k * norm

    pairwise = crf.pos_w * kernel((place, crf.pos_xy))
    pairwise += crf.bi_w * kernel((place, crf.bi_xy), (colour, crf.bi_rgb))
    unary = -np.log(probs.reshape(classes, -1).astype(float))
    q = np.exp(-unary)
    q /= q.sum(0)
    for _ in range(crf.iterations):
        q = np.exp(-unary + q @ pairwise)
        q /= q.sum(0)
    return q.argmax(0).reshape(height, width)


@pytest.mark.parametrize('seed', range(4))
def test_labels_are_those_of_the_mean_field_formula(seed):
    image, probs, _ = _scene(seed)
    crf = DenseCRF(min_prob=0)
    same = crf(image, probs) == _mean_field(image, probs, crf)
    # The library's filter is an approximation.
    assert same.mean() > 0.97


def test_noise_is_cleaned_along_the_edges_of_the_image():
    image, probs, truth = _scene()
    before = (probs.argmax(0) == truth).mean()
    refined = DenseCRF()(image, probs)
    assert refined.dtype == np.uint8
    assert before < 0.8 and (refined == truth).mean() > 0.95


def test_classes_that_cannot_win_change_nothing():
    image, probs, _ = _scene(classes=3, size=(40, 50))
    rare = np.full((18, 40, 50), 1e-4, np.float32)
    many = np.concatenate([probs[:1], rare, probs[1:]]) / 1.0018
    plain, pruned = DenseCRF(min_prob=0), DenseCRF()
    assert pruned.candidates(many.max((1, 2))).tolist() == [0, 19, 20]
    assert len(plain.candidates(many.max((1, 2)))) == 21
    got = pruned(image, many)
    assert (got == plain(image, many)).mean() >= 0.999
    assert set(np.unique(got)) <= {0, 19, 20}


def test_one_class_needs_no_inference():
    image, _, _ = _scene()
    probs = np.zeros((5, 12, 15), np.float32)
    probs[3] = 1
    assert (DenseCRF()(image, probs) == 3).all()
    # Many classes, each below the bound: the likelier ones enter.
    assert DenseCRF(min_prob=0.5).candidates(np.full(9, 0.1)).size == 9


def test_bad_arguments_are_named(monkeypatch):
    image, probs, _ = _scene()
    with pytest.raises(ValueError, match=r'image must be uint8.*float64'):
        DenseCRF()(image / 1, probs)
    with pytest.raises(ValueError, match=r'probs must be of shape \(C, 12'):
        DenseCRF()(image, probs[:, 1:])
    many = torch.zeros(300, *image.shape[:2])
    many[299] = 1  # alone a candidate, and no uint8
    with pytest.raises(ValueError, match=r'at most 256 classes\. Got: 300'):
        CRFRefiner().refine([(SegDataSample(), image, many)])
    with pytest.raises(ValueError, match='iterations must be >= 1'):
        DenseCRF(iterations=0)
    with pytest.raises(ValueError, match='bi_rgb must be > 0'):
        DenseCRF(bi_rgb=0)
    with pytest.raises(ValueError, match=r'min_prob must be in \[0, 1\)'):
        DenseCRF(min_prob=1)
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    with pytest.raises(ImportError, match=r"pip install 'pydensecrf2>=1\.1'"):
        DenseCRF()
