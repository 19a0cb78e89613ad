"""What a trained model says of one photograph."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.runner import load_checkpoint
from mmseg.apis import init_model
from mmseg.models import BaseSegmentor
from mmseg.models.utils import resize
from mmseg.structures import SegDataSample
from torch import Tensor

from ..models.decode_heads import Box2SegHead
from ..models.segmentors.crf_segmentor import class_probs


class Predictor:
    """Runs a model by its config's test pipeline.

    The config's own dense CRF is not used.

    Args:
        config: Config of any mmseg model.
        checkpoint: Its checkpoint.
        device: As torch names it.

    Raises:
        ValueError: The checkpoint is not this model's: it lacks parameters,
            or has others.
    """

    def __init__(
        self, config: str | Path, checkpoint: str | Path, device: str = 'cpu'
    ) -> None:
        cfg = Config.fromfile(config)
        cfg.model.backbone.init_cfg = None
        cfg.model.test_cfg.pop('crf', None)
        self._model: BaseSegmentor = init_model(cfg, device=device)
        try:
            # init_model would leave at random what the checkpoint lacks.
            load_checkpoint(self._model, str(checkpoint), device, strict=True)
        except RuntimeError as error:
            raise ValueError(
                f'{checkpoint}: is no checkpoint of {config}, or of other '
                f'classes: {error}'
            ) from None
        self._pipeline = Compose(
            [
                step
                for step in cfg.test_dataloader.dataset.pipeline
                if step['type'] != 'LoadAnnotations'
            ]
        )

    @property
    def has_attention(self) -> bool:
        """Whether the model is a Box2Seg with attention."""
        head = self._model.decode_head
        return (
            isinstance(head, Box2SegHead) and head.loss_attention is not None
        )

    def predict(self, image_path: str | Path) -> tuple[SegDataSample, Tensor]:
        """What the model predicts.

        Args:
            image_path: A photograph.

        Returns:
            The sample with ``pred_sem_seg``, and the probabilities of the
            classes, ``(C, H, W)``.
        """
        with torch.no_grad():
            (sample,) = self._model.test_step(self._batch(image_path))
        logits = sample.seg_logits.data
        return sample, class_probs(logits, self._model.out_channels)

    def attention(self, image_path: str | Path) -> np.ndarray:
        """The attention maps of all foreground classes.

        Args:
            image_path: A photograph.

        Returns:
            ``(L, H, W)`` float32 in ``[0, 1]``.
        """
        model = self._model
        data = model.data_preprocessor(self._batch(image_path))
        inputs, samples = data['inputs'], data['data_samples']
        with torch.no_grad():
            _, logits, _ = model.decode_head.forward_train(
                model.extract_feat(inputs)
            )
        logits = resize(logits, inputs.shape[2:], mode='bilinear')
        # The way of the classes' logits to the photograph's size. A channel
        # more keeps mmseg from taking one channel for a binary task's.
        logits = torch.cat([logits[:, :1], logits], 1)
        (sample,) = model.postprocess_result(logits, samples)
        logits = sample.seg_logits.data[None, 1:]
        return model.decode_head.activate_attention(logits)[0].cpu().numpy()

    def _batch(self, image_path: str | Path) -> dict:
        return pseudo_collate([self._pipeline(dict(img_path=str(image_path)))])
