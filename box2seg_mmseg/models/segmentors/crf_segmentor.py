"""Stock segmentors with a dense CRF at test time."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
from mmseg.registry import MODELS
from mmseg.utils import OptSampleList, SampleList
from torch import Tensor

from ..post_processing import CRFRefiner

# Heads that predict scores in [0, 1] that are not probabilities.
_SCORES = ('MaskFormerHead', 'Mask2FormerHead')


class DenseCRFMixin:
    """Makes a segmentor refine its predictions if ``test_cfg`` has ``crf``.

    This is the only way to the CRF: ``test.py``, validation, mmseg's
    inference API, ``tools/predict.py`` and test-time augmentation all use it.

    ``test_cfg=dict(crf=dict(...))`` takes the arguments of
    :class:`CRFRefiner`; without it the segmentor is the stock one. The CRF
    works on the photograph in its original size, which is read again from
    ``img_path``. An image given as an array is recovered from the network's
    input. ``pred_sem_seg`` is the CRF's result; ``seg_logits`` are still the
    network's.

    Raises:
        TypeError: The head does not predict logits (MaskFormer, Mask2Former).

    Attributes:
        crf: The :class:`CRFRefiner`, or None. :class:`CRFSegTTAModel` and
            :class:`Predictor` take it away from the segmentor and call it
            themselves.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        config = (self.test_cfg or {}).get('crf')
        if config is not None and type(self.decode_head).__name__ in _SCORES:
            raise TypeError(
                'the dense CRF needs a head that predicts logits. '
                f'Got: {type(self.decode_head).__name__}'
            )
        self.crf = None if config is None else CRFRefiner(**config)

    def predict(
        self, inputs: Tensor, data_samples: OptSampleList = None
    ) -> SampleList:
        """Predict and refine; see mmseg's EncoderDecoder."""
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
        """Recover the photograph, ``(H, W, 3)`` uint8, from an input."""
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
    """Compute the probabilities of all classes.

    Args:
        seg_logits: ``(C, H, W)`` as stored in a stock segmentor's samples:
            logits, or with one channel the output of the sigmoid.
        out_channels: The segmentor's ``out_channels``.

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
