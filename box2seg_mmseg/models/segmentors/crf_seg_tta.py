"""Test-time augmentation with one dense CRF after the merge."""

import torch
from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList

from .crf_segmentor import class_probs


@MODELS.register_module()
class CRFSegTTAModel(SegTTAModel):
    """mmseg's SegTTAModel over a segmentor with a dense CRF.

    The CRF does not run for each augmentation. It refines the probabilities
    once, after they are averaged over the augmentations. Without
    ``test_cfg.crf`` this is the stock model. ``seg_logits`` of the results
    are the logarithms of the averaged probabilities.

    Args:
        module: A :class:`CRFEncoderDecoder` or its config.
        **kwargs: See mmengine's BaseTTAModel.

    Raises:
        TypeError: The segmentor is not a :class:`CRFEncoderDecoder`.
    """

    def __init__(self, module: torch.nn.Module | dict, **kwargs) -> None:
        super().__init__(module, **kwargs)
        if not hasattr(self.module, 'crf'):
            raise TypeError(
                'module must be a CRFEncoderDecoder; set model.type, or '
                'tta_model.type=SegTTAModel. '
                f'Got: {type(self.module).__name__}'
            )
        self.crf, self.module.crf = self.module.crf, None

    def merge_preds(self, data_samples_list: list[SampleList]) -> SampleList:
        """Average and refine the samples of each image's augmentations."""
        if self.crf is None:
            return super().merge_preds(data_samples_list)
        items = []
        for samples in data_samples_list:
            probs = sum(
                class_probs(sample.seg_logits.data, self.module.out_channels)
                for sample in samples
            ) / len(samples)
            merged = SegDataSample(metainfo={'img_path': samples[0].img_path})
            merged.seg_logits = PixelData(data=probs.log())
            if 'gt_sem_seg' in samples[0]:
                merged.gt_sem_seg = samples[0].gt_sem_seg
            items.append((merged, merged.img_path, probs))
        self.crf.refine(items)
        return [merged for merged, _, _ in items]
