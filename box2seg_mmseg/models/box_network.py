"""A trained network that segments the objects in given boxes."""

from pathlib import Path

import numpy as np
import torch
from mmseg.apis import init_model

from ..boxes import BoxCrop
from ..model_config import prediction_pipeline, read_config
from .checkpoints import (
    drop_initial_weights,
    load_checkpoint_file,
    load_weights,
)


class BoxNetwork:
    """Predicts the objects in boxes with a network of Deep GrabCut.

    Args:
        config: Config of the network. Its test pipeline has the step
            ``CropBox``, from which the size and the margin of the crops are
            taken.
        checkpoint: Its checkpoint.
        device: A torch device, such as ``'cuda'``.

    Raises:
        UsageError: The config has no test pipeline.
        ValueError: The test pipeline has no ``CropBox``, or the checkpoint
            does not fit the model.

    Attributes:
        crop_options: Arguments of :class:`BoxCrop`, from the config.
    """

    def __init__(
        self, config: str | Path, checkpoint: str | Path, device: str = 'cpu'
    ) -> None:
        cfg = read_config(config)
        steps = [
            step
            for step in prediction_pipeline(cfg, config)
            if step['type'] == 'CropBox'
        ]
        if len(steps) != 1:
            raise ValueError(
                f'{config}: the test pipeline must have one CropBox; use the '
                'config that the network was trained with. '
                f'Got: {len(steps)}'
            )
        self.crop_options = {
            name: steps[0][name]
            for name in ('side', 'margin')
            if name in steps[0]
        }
        drop_initial_weights(cfg.model)
        self._model = init_model(cfg, device=device)
        weights = load_checkpoint_file(checkpoint).state_dict
        load_weights(self._model, weights, checkpoint)

    def crop(self, box: np.ndarray, size: tuple[int, int]) -> BoxCrop:
        """The crop of a box, as in training.

        Args:
            box: xyxy in whole pixels, half-open.
            size: ``(H, W)`` of the image in pixels.
        """
        return BoxCrop(tuple(box.tolist()), size, **self.crop_options)

    @torch.no_grad()
    def __call__(
        self, image: np.ndarray, crops: list[BoxCrop]
    ) -> list[np.ndarray]:
        """Segment the objects of several boxes at once.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.
            crops: Those of the boxes, from :meth:`crop`.

        Returns:
            For each crop the probability of its object, float32 in
            ``[0, 1]``, the size of its window.
        """
        inputs = [
            torch.from_numpy(crop.image(image).transpose(2, 0, 1))
            for crop in crops
        ]
        batch = self._model.data_preprocessor(dict(inputs=inputs))['inputs']
        background, foreground = self._model(batch, mode='tensor').unbind(1)
        odds = (foreground - background).float().cpu().numpy()
        return [
            1 / (1 + np.exp(-np.clip(crop.paste(one), -80, 80)))
            for crop, one in zip(crops, odds, strict=True)
        ]
