"""Predict one image with a trained model."""

import math
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmseg.apis import inference_model, init_model
from mmseg.models.utils import resize
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor

from ..errors import UsageError
from ..model_config import prediction_pipeline, read_config
from ..models.checkpoints import (
    check_classes,
    load_checkpoint_file,
    load_weights,
)
from ..models.segmentors import class_probs
from ..pseudo_labels.store import class_difference

# mmseg's segmentors that have a counterpart with a dense CRF.
_WITH_CRF = ('EncoderDecoder', 'CascadeEncoderDecoder')


class Predictor:
    """Runs a model with mmseg's ``inference_model``.

    Args:
        config: Config of any mmseg model.
        checkpoint: Its checkpoint.
        device: A torch device, such as ``'cuda'``.
        crf: Refine with the dense CRF even if the config does not. Its
            parameters are those of the config's ``test_cfg.crf``, or the
            defaults of :class:`DenseCRF`.
        workers: Processes of the CRF, in place of the config's.
        trust: Load a checkpoint whose weights are not tensors, **which may
            run code in it**.

    Raises:
        ValueError: The checkpoint needs ``trust``, does not fit the model or
            was trained on other classes than the config's.
        UsageError: The config has no test pipeline, or ``crf`` is set
            and the model cannot have one.

    Attributes:
        refiner: The segmentor's :class:`CRFRefiner`, or None if its
            predictions are not refined. :meth:`predict` leaves it to the
            caller, who may refine several images side by side.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        device: str = 'cpu',
        crf: bool = False,
        workers: int | None = None,
        trust: bool = False,
    ) -> None:
        cfg = read_config(config)
        pipeline = prediction_pipeline(cfg, config)
        if crf:
            _turn_crf_on(cfg)
        if workers is not None and 'crf' in cfg.model.test_cfg:
            cfg.model.test_cfg.crf.workers = workers
        self._test_pipeline = [
            step for step in pipeline if step['type'] != 'LoadAnnotations'
        ]
        loaded = load_checkpoint_file(checkpoint, trust)
        self._model = init_model(cfg, device=device)
        load_weights(self._model, loaded.state_dict, checkpoint)
        check_classes(loaded.dataset_meta, cfg, checkpoint)
        self._checkpoint = checkpoint
        self._trained_on = list(loaded.dataset_meta.get('classes') or ())[1:]
        self.refiner = getattr(self._model, 'crf', None)
        if self.refiner is not None:
            self._model.crf = None

    @property
    def has_attention(self) -> bool:
        """Whether the model is a Box2Seg model with attention."""
        head = self._model.decode_head
        return 'attention' in getattr(head, 'branch_channels', ())

    def check_box_classes(
        self, classes: Sequence[str], allow_one_class: bool = False
    ) -> None:
        """Check that the model was trained for the classes of the boxes.

        Nothing is compared if the checkpoint does not name its classes.

        Args:
            classes: The foreground classes of the boxes.
            allow_one_class: Accept a model with one foreground class, which
                sees objects of any class.

        Raises:
            UsageError: The classes differ.
        """
        trained = self._trained_on
        if self._model.num_classes == 2 and len(trained) > 1:  # MergeClasses
            trained = ['object']
        if not trained or (allow_one_class and len(trained) == 1):
            return
        difference = class_difference(trained, list(classes))
        if difference is not None:
            raise UsageError(
                f'{self._checkpoint}: its classes are not those of the boxes: '
                f'{difference}; use the class list of its training'
            )

    def predict(
        self, image: str | Path | np.ndarray, scale: float = 1
    ) -> tuple[SegDataSample, Tensor]:
        """Predict one image with the network, without the CRF.

        Args:
            image: A path, or ``(H, W, 3)`` uint8, BGR.
            scale: The network sees the image larger than the config's test
                pipeline makes it, by this factor.

        Returns:
            The sample with ``pred_sem_seg``, and the probabilities of the
            classes, ``(C, H, W)``.
        """
        if isinstance(image, Path):
            image = str(image)
        # inference_model changes the pipeline.
        self._model.cfg.test_pipeline = _scaled(self._test_pipeline, scale)
        sample = inference_model(self._model, image)
        logits = sample.seg_logits.data
        return sample, class_probs(logits, self._model.out_channels)

    @torch.no_grad()
    def features(
        self, image_path: str | Path, scale: float = 1
    ) -> tuple[Tensor, ...]:
        """What the backbone, and the neck, make of an image.

        Args:
            image_path: The image.
            scale: As for :meth:`predict`.

        Returns:
            Maps ``(C, h, w)``, each of the whole image without padding.
        """
        pipeline = _scaled(self._test_pipeline, scale)
        inputs, (sample,) = self._inputs(image_path, pipeline)
        height, width = inputs.shape[2:]
        _, right, _, bottom = sample.metainfo.get('img_padding_size', [0] * 4)
        maps = []
        for (one,) in self._model.extract_feat(inputs):
            h = math.ceil(one.shape[1] * (height - bottom) / height)
            w = math.ceil(one.shape[2] * (width - right) / width)
            maps.append(one[:, :h, :w])
        return tuple(maps)

    def attention(self, image_path: str | Path) -> np.ndarray:
        """Attention of the foreground classes: ``(L, H, W)`` in ``[0, 1]``."""
        model = self._model
        inputs, samples = self._inputs(image_path, self._test_pipeline)
        with torch.no_grad():
            _, branches = model.decode_head.forward_train(
                model.extract_feat(inputs)
            )
        size = inputs.shape[2:]
        logits = resize(branches['attention'], size, mode='bilinear')
        # postprocess_result resizes to the size of the image. mmseg takes a
        # single channel for a binary task, hence the second one.
        logits = torch.cat([logits[:, :1], logits], 1)
        (sample,) = model.postprocess_result(logits, samples)
        return sample.seg_logits.data[1:].sigmoid().cpu().numpy()

    def _inputs(
        self, image_path: str | Path, pipeline: Sequence[dict]
    ) -> tuple[Tensor, SampleList]:
        """A batch of one image, as the model receives it."""
        item = Compose(pipeline)(dict(img_path=str(image_path)))
        data = self._model.data_preprocessor(pseudo_collate([item]))
        return data['inputs'], data['data_samples']


def _scaled(pipeline: Sequence[dict], scale: float) -> list[dict]:
    """A copy of a test pipeline that makes images larger by ``scale``."""
    result = deepcopy(list(pipeline))
    keys = 'scale', 'scale_factor'
    if scale != 1 and not any(
        step.get(key) for step in result for key in keys
    ):
        # The step after the one that loads the image.
        step = dict(type='Resize', scale_factor=1.0, keep_ratio=True)
        result.insert(1, step)
    for step in result:
        for key in keys:
            # A size is in whole pixels, a factor is not.
            kind = int if key == 'scale' else float
            size = step.get(key)
            if isinstance(size, int | float):
                step[key] = kind(size * scale)
            elif size is not None:
                step[key] = tuple(kind(side * scale) for side in size)
    return result


def _turn_crf_on(cfg: Config) -> None:
    kind = cfg.model.type.removeprefix('CRF')
    if kind not in _WITH_CRF:
        raise UsageError(
            f'the dense CRF needs one of {", ".join(_WITH_CRF)}. Got: {kind}'
        )
    cfg.model.type = f'CRF{kind}'
    cfg.model.test_cfg.setdefault('crf', {})
