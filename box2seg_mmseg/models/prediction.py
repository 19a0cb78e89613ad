"""What a trained model says of one photograph."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmseg.apis import init_model
from mmseg.models import BaseSegmentor
from mmseg.models.utils import resize

from .decode_heads import Box2SegHead


class Predictor:
    """Runs a model by its config's test pipeline.

    Args:
        config: Config of any mmseg model.
        checkpoint: Its checkpoint.
        crf: Arguments of a :class:`CRFQueue` that refines what is predicted,
            or None. The config's own CRF is not used.
        device: As torch names it.

    Raises:
        ValueError: With ``crf``: the model is no EncoderDecoder.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        crf: dict | None = None,
        device: str = 'cpu',
    ) -> None:
        cfg = Config.fromfile(config)
        cfg.model.backbone.init_cfg = None
        cfg.model.test_cfg.pop('crf', None)
        if crf is not None:
            if not cfg.model.type.endswith('EncoderDecoder'):
                raise ValueError(
                    f'{config}: the CRF needs an EncoderDecoder. '
                    f'Got: {cfg.model.type}'
                )
            if not cfg.model.type.startswith('CRF'):
                cfg.model.type = f'CRF{cfg.model.type}'
            cfg.model.test_cfg.crf = crf
        self._model: BaseSegmentor = init_model(
            cfg, str(checkpoint), device=device
        )
        self._pipeline = Compose(
            [
                step
                for step in cfg.test_dataloader.dataset.pipeline
                if step['type'] != 'LoadAnnotations'
            ]
        )

    def label(self, image_path: str | Path) -> np.ndarray:
        """The predicted label map.

        Args:
            image_path: A photograph.

        Returns:
            ``(H, W)`` uint8.
        """
        with torch.no_grad():
            (sample,) = self._model.test_step(self._batch(image_path))
        return sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)

    def attention(self, image_path: str | Path) -> np.ndarray | None:
        """The attention maps of all foreground classes.

        Args:
            image_path: A photograph.

        Returns:
            ``(L, H, W)`` float32 in ``[0, 1]``, or None if the model has no
            attention.
        """
        model = self._model
        if not isinstance(model.decode_head, Box2SegHead):
            return None
        data = model.data_preprocessor(deepcopy(self._batch(image_path)))
        inputs, samples = data['inputs'], data['data_samples']
        with torch.no_grad():
            _, logits, _ = model.decode_head.forward_train(
                model.extract_feat(inputs)
            )
        if logits is None:
            return None
        logits = resize(logits, inputs.shape[2:], mode='bilinear')
        # The way of the classes' logits to the photograph's size. A channel
        # more keeps mmseg from taking one channel for a binary task's.
        logits = torch.cat([logits[:, :1], logits], 1)
        (sample,) = model.postprocess_result(logits, samples)
        return sample.seg_logits.data[1:].sigmoid().cpu().numpy()

    def _batch(self, image_path: str | Path) -> dict:
        return pseudo_collate([self._pipeline(dict(img_path=str(image_path)))])
