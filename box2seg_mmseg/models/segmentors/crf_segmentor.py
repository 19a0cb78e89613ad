"""Stock segmentors with a dense CRF at test time."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
from mmseg.registry import MODELS
from mmseg.utils import OptSampleList, SampleList
from torch import Tensor

from ..post_processing import CRFQueue

# Heads that predict scores in [0, 1] that are no probabilities.
_SCORES = ('MaskFormerHead', 'Mask2FormerHead')


class DenseCRFMixin:
    """Makes a segmentor refine its predictions if ``test_cfg`` has ``crf``.

    ``test_cfg=dict(crf=dict(...))`` has the arguments of :class:`CRFQueue`;
    without it the segmentor is the stock one. The CRF sees the photograph in
    its own size, read again from ``img_path``; one that was given as an array
    is taken back from the network's input. ``pred_sem_seg`` is the CRF's,
    ``seg_logits`` stay the network's.

    Raises:
        TypeError: The head gives no logits (MaskFormer, Mask2Former).

    Attributes:
        crf: The :class:`CRFQueue`, or None. A :class:`CRFSegTTAModel` takes
            it over, so that it runs once.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        config = (self.test_cfg or {}).get('crf')
        if config is not None and type(self.decode_head).__name__ in _SCORES:
            raise TypeError(
                'the dense CRF needs a head that gives logits. '
                f'Got: {type(self.decode_head).__name__}'
            )
        self.crf = None if config is None else CRFQueue(**config)

    def predict(
        self, inputs: Tensor, data_samples: OptSampleList = None
    ) -> SampleList:
        """Predict, and refine; see mmseg's EncoderDecoder."""
        results = super().predict(inputs, data_samples)
        if self.crf is not None:
            self.crf.refine(
                [
                    (
                        result,
                        result.get('img_path') or self._image(image, result),
                        class_probs(result.seg_logits.data, self.out_channels),
                    )
                    for image, result in zip(inputs, results, strict=True)
                ]
            )
        return results

    def _image(self, image: Tensor, sample: SampleList) -> np.ndarray:
        """The photograph of an input of the network, ``(H, W, 3)`` uint8."""
        preprocessor = self.data_preprocessor
        if getattr(preprocessor, '_enable_normalize', False):
            image = image * preprocessor.std + preprocessor.mean
        meta = sample.metainfo
        padding = meta.get('img_padding_size', meta.get('padding_size'))
        left, right, top, bottom = padding or (0, 0, 0, 0)
        height, width = image.shape[1:]
        image = image[:, top : height - bottom, left : width - right]
        if meta.get('flip'):
            is_horizontal = meta['flip_direction'] == 'horizontal'
            image = image.flip(2 if is_horizontal else 1)
        image = F.interpolate(
            image.float()[None], sample.seg_logits.shape[-2:], mode='bilinear'
        )[0]
        image = image.round().clamp(0, 255).to(torch.uint8)
        return image.permute(1, 2, 0).cpu().numpy()


def class_probs(seg_logits: Tensor, out_channels: int) -> Tensor:
    """Probabilities of all classes.

    Args:
        seg_logits: ``(C, H, W)`` as a stock segmentor's samples hold them:
            logits, or with one channel the sigmoid's output.
        out_channels: The segmentor's.

    Returns:
        ``(C, H, W)``, or ``(2, H, W)`` with one channel.
    """
    if out_channels > 1:
        return seg_logits.softmax(0)
    return torch.cat([1 - seg_logits, seg_logits])


@MODELS.register_module()
class CRFEncoderDecoder(DenseCRFMixin, EncoderDecoder):
    """mmseg's EncoderDecoder; see :class:`DenseCRFMixin`."""


@MODELS.register_module()
class CRFCascadeEncoderDecoder(DenseCRFMixin, CascadeEncoderDecoder):
    """mmseg's CascadeEncoderDecoder; see :class:`DenseCRFMixin`."""
