import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample
from PIL import Image

from box2seg_mmseg.evaluation import TagIoUMetric

CLASSES = ('background', 'cat', 'dog', 'cow')


def _sample(logits, mask, prediction=None):
    sample = SegDataSample(metainfo=dict(img_path='some.jpg'))
    sample.seg_logits = PixelData(data=logits)
    if prediction is None:
        prediction = logits.argmax(0, keepdim=True)
    sample.pred_sem_seg = PixelData(data=prediction)
    sample.gt_sem_seg = PixelData(data=mask[None])
    return sample.to_dict()


def _metric(kind, samples, **options):
    metric = kind(iou_metrics=['mIoU'], **options)
    metric.dataset_meta = dict(classes=CLASSES)
    for sample in samples:
        metric.process({}, [sample])
    return metric.evaluate(len(samples))


def _miou(pairs):
    """Brute force, in percent: mean over the classes that occur."""
    ious = []
    for c in range(len(CLASSES)):
        both = either = 0
        for prediction, mask in pairs:
            known = mask != 255
            a, b = (prediction == c) & known, (mask == c) & known
            both, either = both + (a & b).sum(), either + (a | b).sum()
        if either:
            ious.append(100 * float(both) / float(either))
    return np.mean(ious)


def _random_samples():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 9, 7, generator=generator)
    masks = torch.randint(0, 2, (3, 9, 7), generator=generator)
    masks[1] *= 3  # an image of cows
    masks[2] = 0  # of background alone
    masks[:, 0, :3] = 255
    return list(zip(logits, masks, strict=True))


def test_plain_figures_are_the_stock_metrics_and_tags_the_brute_force():
    pairs = _random_samples()
    samples = [_sample(*pair) for pair in pairs]
    got = _metric(TagIoUMetric, samples)
    for name, value in _metric(IoUMetric, samples).items():
        assert got[name] == value
    restricted = []
    for logits, mask in pairs:
        absent = [c for c in (1, 2, 3) if not (mask == c).any()]
        logits = logits.clone()
        logits[absent] = -99
        restricted.append((logits.argmax(0), mask))
    assert got['mIoU_tags'] == pytest.approx(_miou(restricted), abs=0.006)
    assert got['mIoU_tags'] > got['mIoU']


def test_a_refined_prediction_stays_where_it_is_a_tag():
    mask = torch.tensor([[1, 1, 0]])
    logits = torch.tensor([[5.0, 0, 0], [0, 3, 0], [0, 2, 9], [1, 1, 1]])
    refined = torch.tensor([[[1, 2, 2]]])  # as a CRF leaves it
    got = _metric(TagIoUMetric, [_sample(logits[:, None], mask, refined)])
    # Pixel 1 stays cat, pixel 2 becomes cat, pixel 3 background (0, not 9).
    assert got['mIoU_tags'] == 100
    assert got['mIoU'] == pytest.approx((0 + 50 + 0) / 3, abs=0.006)


def test_one_sigmoid_channel_and_saved_masks(tmp_path):
    sample = _sample(
        torch.tensor([[[0.9, 0.2], [0.3, 0.1]]]),
        torch.zeros(2, 2, dtype=torch.long),
        torch.tensor([[[1, 0], [0, 0]]]),
    )
    got = _metric(TagIoUMetric, [sample], output_dir=str(tmp_path))
    assert got['aAcc'] == 75
    assert got['aAcc_tags'] == 100
    saved = np.array(Image.open(tmp_path / 'some.png'))
    assert saved.tolist() == [[1, 0], [0, 0]]
