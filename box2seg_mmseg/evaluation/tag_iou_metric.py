"""mIoU, and mIoU if the classes of each image are known."""

from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS

from ..models.segmentors import class_probs


@METRICS.register_module()
class TagIoUMetric(IoUMetric):
    """mmseg's IoUMetric, and the same with the image's tags known.

    The tags of an image are the background and the classes that its ground
    truth has. Each pixel that is predicted as another class gets, of the
    image's tags, the one of the largest logit in ``seg_logits``: the
    network's before a dense CRF, and of mmseg's SegTTAModel those of the last
    augmentation. These figures have the suffix ``_tags``; they measure masks
    apart from recognition (our choice).
    """

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Add the areas of a batch, plain and with tags known."""
        if self.format_only:
            super().process(data_batch, data_samples)
            return
        start = len(self.results)
        # The plain ones last, whose PNGs stay in output_dir.
        super().process(data_batch, [self._tagged(s) for s in data_samples])
        super().process(data_batch, data_samples)
        areas = self.results[start:]
        n = len(data_samples)
        self.results[start:] = zip(areas[n:], areas[:n], strict=True)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """IoUMetric's figures in percent, and each as ``<name>_tags``."""
        if self.format_only:
            return super().compute_metrics(results)
        plain, tagged = zip(*results, strict=True)
        figures = super().compute_metrics(plain)
        print_log('with the tags of each image known,', 'current')
        for name, value in super().compute_metrics(tagged).items():
            figures[f'{name}_tags'] = value
        return figures

    def _tagged(self, sample: dict) -> dict:
        """The sample with other classes than its tags replaced."""
        prediction = sample['pred_sem_seg']['data'].squeeze(0)
        mask = sample['gt_sem_seg']['data'].squeeze(0)
        logits = sample['seg_logits']['data']
        scores = class_probs(logits, len(logits))
        tags = mask[mask != self.ignore_index].unique().to(scores.device)
        absent = torch.ones_like(scores[:, 0, 0], dtype=torch.bool)
        absent[tags.long()] = False
        absent[0] = False
        best = scores.masked_fill(absent[:, None, None], -torch.inf).argmax(0)
        prediction = torch.where(absent[prediction.long()], best, prediction)
        return sample | dict(pred_sem_seg=dict(data=prediction))
