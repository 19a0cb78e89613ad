"""Export a trained mmseg model as an ONNX file."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from packaging.version import Version
from torch import Tensor, nn

from ..files import replacing
from ..model_config import prediction_pipeline, read_config
from ..models.checkpoints import (
    dataset_meta_of,
    drop_initial_weights,
    load_checkpoint_file,
    load_weights,
)
from .exportable_pooling import ExportablePooling

OLDEST_TORCH = '2.9.1'
_PACKAGES = ('onnx', 'onnxruntime', 'onnxscript')
# The exporter takes axes of size 1 for constant.
_TRACED_SIZE = (2, 96, 128)
# Neither multiples of 32 nor of the traced size; portrait and landscape.
_CHECKED_SIZES = ((1, 203, 131), (3, 97, 162))
# Steps of a test pipeline that leave the pixels of the image as they are.
_OTHER_STEPS = (
    'LoadImageFromFile',
    'LoadAnnotations',
    'MergeClasses',
    'PackSegInputs',
)


def require_onnx() -> None:
    """Check that the packages that an export to ONNX needs are installed.

    Raises:
        ImportError: One of them is missing, or torch is too old. The message
            names the pip command.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ImportError(
            f'the export to ONNX needs {", ".join(missing)}; '
            "pip install 'box2seg-mmseg[onnx]'"
        )
    if Version(torch.__version__) < Version(OLDEST_TORCH):
        raise ImportError(
            f'the export to ONNX needs torch {OLDEST_TORCH} or newer; '
            f"pip install 'torch>={OLDEST_TORCH}'. Got: torch "
            f'{torch.__version__}'
        )


def export_onnx(
    config: str | Path, checkpoint: str | Path, path: str | Path
) -> float:
    """Write an ONNX file and compare it with the model.

    The file has one input and one output:

    - ``image``: ``(N, H, W, 3)`` uint8, RGB in ``[0, 255]``, of any size.
      The model converts and normalises it.
    - ``logits``: ``(N, C, H, W)`` float32, one channel for each class,
      resized to the size of the image as mmseg does it.

    Its metadata are JSON: ``classes``, ``palette``, the normalisation that
    the model does (``mean`` and ``std``, RGB), and how the test pipeline
    resizes images before (``test_scale``, width and height, or null, and
    ``keep_ratio``).

    Args:
        config: Config of an mmseg model, such as the one that
            :func:`export_segmentor` writes.
        checkpoint: Its checkpoint, which is read without running its code.
        path: The file to write.

    Returns:
        The largest difference between logits of onnxruntime and of torch, on
        random images of other sizes than the traced one.

    Raises:
        ImportError: See :func:`require_onnx`.
        ValueError: The model cannot be exported, or onnxruntime's logits
            differ from torch's by more than 1e-4 (1e-5 of the largest logit,
            if that is more). There is no file then, not even an older one.
    """
    require_onnx()
    Path(path).unlink(missing_ok=True)  # not that of another checkpoint
    cfg = read_config(config)
    init_default_scope('mmseg')
    resizing = _resizing(cfg, config)
    drop_initial_weights(cfg.model)
    segmentor = MODELS.build(cfg.model)
    loaded = load_checkpoint_file(checkpoint)
    load_weights(segmentor, loaded.state_dict, checkpoint)
    _check_model(segmentor, config)
    model = _ImageToLogits(
        revert_sync_batchnorm(segmentor), cfg.model.data_preprocessor
    ).eval()
    meta = loaded.dataset_meta or dataset_meta_of(cfg, 'test_dataloader')
    metadata = dict(
        classes=meta.get('classes'),
        palette=meta.get('palette'),
        **model.normalization,
        **resizing,
    )
    program = _traced(model, config)
    program.model.metadata_props.update(
        {key: json.dumps(value) for key, value in metadata.items()}
    )
    with replacing(path) as part:
        program.save(part, external_data=False)
        return _difference(part, model, config)


class _ImageToLogits(nn.Module):
    """From RGB images as files hold them to logits of their size."""

    def __init__(self, segmentor: nn.Module, preprocessor: dict) -> None:
        super().__init__()
        self.segmentor = segmentor
        mean = list(preprocessor.get('mean') or [0.0] * 3)
        std = list(preprocessor.get('std') or [1.0] * 3)
        # mmseg reads images as BGR; either option swaps the channels.
        self.takes_bgr = not (
            preprocessor.get('bgr_to_rgb') or preprocessor.get('rgb_to_bgr')
        )
        if self.takes_bgr:
            mean, std = mean[::-1], std[::-1]
        self.normalization = dict(mean=mean, std=std)  # in RGB
        self.register_buffer('mean', torch.tensor(mean).float())
        self.register_buffer('std', torch.tensor(std).float())

    def forward(self, image: Tensor) -> Tensor:
        inputs = (image.float() - self.mean) / self.std
        if self.takes_bgr:
            inputs = inputs.flip(3)
        inputs = inputs.permute(0, 3, 1, 2)
        meta = dict(img_shape=inputs.shape[2:])
        return self.segmentor.encode_decode(inputs, [meta])


def _resizing(cfg: Config, source: str | Path) -> dict:
    """How the test pipeline resizes images.

    Raises:
        UsageError: There is no test pipeline.
        ValueError: It does something to them that the metadata cannot say.
    """
    steps = [
        step
        for step in prediction_pipeline(cfg, source)
        if step['type'] not in _OTHER_STEPS
    ]
    if not steps:
        return dict(test_scale=None, keep_ratio=None)
    step = dict(steps[0])
    result = dict(
        test_scale=step.pop('scale', None),
        keep_ratio=step.pop('keep_ratio', False),
    )
    if steps[1:] or step != dict(type='Resize') or not result['test_scale']:
        raise ValueError(
            f'{source}: the ONNX file can describe only a test pipeline with '
            'one Resize that has a scale; change the pipeline of '
            f'test_dataloader. Got: {", ".join(map(str, steps))}'
        )
    return result


def _check_model(segmentor: nn.Module, source: str | Path) -> None:
    """Refuse what the graph would do in another way than mmseg."""
    preprocessor = segmentor.data_preprocessor
    test_cfg = segmentor.test_cfg
    for is_wrong, problem in (
        (
            test_cfg.get('mode', 'whole') != 'whole',
            "test_cfg.mode is 'slide', but an ONNX file takes whole images; "
            'if the model predicts whole images well, set '
            "test_cfg=dict(mode='whole')",
        ),
        (
            preprocessor.test_cfg,
            'data_preprocessor.test_cfg pads images, which the ONNX file '
            'cannot do; remove it',
        ),
        (
            segmentor.out_channels == 1,
            'out_channels=1 is not supported; train with one output for '
            'each class, the background included',
        ),
    ):
        if is_wrong:
            raise ValueError(f'{source}: {problem}')


def _traced(model: nn.Module, source: str | Path) -> 'torch.onnx.ONNXProgram':
    image = torch.zeros(*_TRACED_SIZE, 3, dtype=torch.uint8)
    try:
        with _quiet_exporter(), torch.no_grad(), ExportablePooling():
            return torch.onnx.export(
                model,
                (image,),
                input_names=['image'],
                output_names=['logits'],
                dynamic_shapes=({0: 'batch', 1: 'height', 2: 'width'},),
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # the exporter raises many kinds
        problem = str(error).strip().partition('\n')[0]
        raise ValueError(
            f'{source}: torch cannot export this model to an ONNX file that '
            f'takes images of every size: {problem}'
        ) from error


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without its notes on torchvision and on what it cannot optimise."""
    loggers = [logging.getLogger(n) for n in ('torch.onnx', 'onnxscript')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _difference(path: Path, model: nn.Module, source: str | Path) -> float:
    """Compare an ONNX file with its model.

    Raises:
        ValueError: They differ by more than the tolerance.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised as well
    noise = np.random.default_rng(0)
    result = 0.0
    for size in _CHECKED_SIZES:
        image = noise.integers(0, 256, (*size, 3), np.uint8)
        with torch.no_grad():
            want = model(torch.from_numpy(image)).numpy()
        try:
            session = onnxruntime.InferenceSession(
                path, options, providers=['CPUExecutionProvider']
            )
            (got,) = session.run(None, dict(image=image))
            difference = float(np.abs(got - want).max())
        except Exception as error:  # onnxruntime raises many kinds
            raise ValueError(
                f'{source}: the exported model fails on images of '
                f'{size[2]} x {size[1]} px, so its backbone or its head '
                f'cannot be exported to ONNX: {error}'
            ) from error
        # A nan is not below the tolerance.
        if not difference <= 1e-5 * max(10.0, np.abs(want).max()):
            raise ValueError(
                f'{source}: the logits of onnxruntime and of torch differ, '
                'so this model cannot be exported to ONNX. Got: a difference '
                f'of {difference:.2g} for images of {size[2]} x {size[1]} px'
            )
        result = max(result, difference)
    return result
