"""mIoU, and mIoU with the classes of each image known."""

from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from torch import Tensor

from ..models.segmentors import class_probs


@METRICS.register_module()
class TagIoUMetric(IoUMetric):
    """mmseg's IoUMetric, plain and with the tags of each image known.

    The tags of an image are the background and the classes in its ground
    truth. A pixel that is predicted as another class gets the tag with the
    largest logit instead; without a CRF that is the argmax over the tags.
    These figures have the suffix ``_tags``. They separate the quality of masks
    from recognition (our choice).

    After a dense CRF or test-time augmentation, the logits are those in
    ``seg_logits``: the network's before the CRF, or those of the last
    augmentation of mmseg's SegTTAModel.

    The arguments are those of mmseg's IoUMetric.
    """

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Add the areas of a batch.

        Args:
            data_batch: Not used.
            data_samples: With ``pred_sem_seg``, ``seg_logits`` and, unless
                ``format_only``, ``gt_sem_seg``.
        """
        if self.format_only:
            super().process(data_batch, data_samples)
            return
        start = len(self.results)
        # The plain predictions come last: their PNGs stay in output_dir.
        super().process(data_batch, [self._tagged(s) for s in data_samples])
        super().process(data_batch, data_samples)
        areas = self.results[start:]
        n = len(data_samples)
        self.results[start:] = zip(areas[n:], areas[:n], strict=True)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the figures of all images.

        Args:
            results: The areas of each image, plain and with tags known.

        Returns:
            IoUMetric's figures in percent, and each as ``<name>_tags``.
        """
        if self.format_only:
            return super().compute_metrics(results)
        plain, tagged = zip(*results, strict=True)
        figures = super().compute_metrics(plain)
        print_log('with the tags of each image known,', 'current')
        for name, value in super().compute_metrics(tagged).items():
            figures[f'{name}_tags'] = value
        return figures

    def _tagged(self, sample: dict) -> dict:
        prediction = sample['pred_sem_seg']['data'].squeeze(0)
        mask = sample['gt_sem_seg']['data'].squeeze(0)
        logits = sample['seg_logits']['data']
        prediction = restrict_to_tags(
            prediction,
            class_probs(logits, len(logits)),
            mask[mask != self.ignore_index],
        )
        return sample | dict(pred_sem_seg=dict(data=prediction))


def restrict_to_tags(
    prediction: Tensor, scores: Tensor, tags: Tensor
) -> Tensor:
    """Replace the classes that an image does not contain.

    Args:
        prediction: ``(H, W)`` int, in ``0..C - 1``.
        scores: ``(C, H, W)`` float; larger is more likely.
        tags: Any shape, int: the classes in the image. The background, 0, is
            always one of them.

    Returns:
        ``(H, W)`` int: ``prediction`` where it is a tag, elsewhere the tag
        with the largest score.
    """
    is_tag = torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
    is_tag[tags.long().unique().to(scores.device)] = True
    is_tag[0] = True
    best = scores.masked_fill(~is_tag[:, None, None], -torch.inf).argmax(0)
    return torch.where(is_tag[prediction.long()], prediction, best)
