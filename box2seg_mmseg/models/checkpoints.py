"""Checkpoints: their weights and classes, checked against a model."""

import io
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmseg.registry import DATASETS
from torch import Tensor, nn

from ..files import replacing
from ..model_config import dataset_of
from .checkpoint_reader import TRUST_HINT, Placeholder, read_checkpoint


@dataclass(frozen=True)
class Checkpoint:
    """What our tools use of a checkpoint file.

    Args:
        state_dict: The weights by their names, on the CPU.
        dataset_meta: ``classes`` and ``palette`` of the training data; empty
            if the file does not have them.
    """

    state_dict: dict[str, Tensor]
    dataset_meta: dict


def load_checkpoint_file(path: str | Path, trust: bool = False) -> Checkpoint:
    """Read the weights and the classes of a checkpoint.

    Args:
        path: A dict with ``state_dict`` and optionally ``meta``, or a bare
            state dict.
        trust: Load all objects in the file, **which may run code**. The
            weights may then be a whole model or numpy arrays too.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or no checkpoint, or its weights are
            other objects than tensors.
    """
    content = read_checkpoint(path, trust)
    weights = _get(content, 'state_dict', content)
    if trust:
        weights = _as_tensors(weights)
    if not isinstance(weights, dict):
        raise _no_tensor(path, f'its content is a {_kind(weights)}', trust)
    # The methods of dict itself: a pickle may replace those of an object.
    state_dict = OrderedDict(dict.items(weights))
    for name, value in state_dict.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise _no_tensor(path, f'{name} is a {_kind(value)}', trust)
    versions = getattr(weights, '_metadata', None)
    if isinstance(versions, dict) and _is_plain(versions):
        state_dict._metadata = versions
    meta = _get(_get(content, 'meta'), 'dataset_meta')
    meta = dict.items(meta) if isinstance(meta, dict) else ()
    return Checkpoint(state_dict, {k: v for k, v in meta if _is_plain([k, v])})


def save_checkpoint_file(path: str | Path, content: dict) -> None:
    """Write what ``torch.save`` takes completely or not at all.

    Raises:
        OSError: The file cannot be written, for example because the disk is
            full.
    """
    # torch.save into a full disk fails with a message of its zip writer.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def load_weights(
    model: nn.Module, state_dict: dict[str, Tensor], source: str | Path
) -> None:
    """Load weights that must fit the model exactly.

    Args:
        model: The model.
        state_dict: Weights by their names, which may start with ``module.``.
        source: The checkpoint, for the message.

    Raises:
        ValueError: A parameter is missing, unknown or of another shape.
    """
    weights = OrderedDict(
        (name.removeprefix('module.'), value)
        for name, value in state_dict.items()
    )
    versions = getattr(state_dict, '_metadata', None)
    if isinstance(versions, dict):
        weights._metadata = versions  # modules may use it for old weights
    try:
        keys = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # shapes differ
        problems = [line.strip() for line in str(error).splitlines()[1:]]
    else:
        problems = [f'it has no {name}' for name in keys.missing_keys]
        problems += [
            f'the model has no {name}' for name in keys.unexpected_keys
        ]
    if problems:
        more = f', and {len(problems) - 1} more' if problems[1:] else ''
        raise ValueError(
            f'{source}: not a checkpoint of this model; use the config that '
            f'it was trained with. Got: {problems[0]}{more}'
        )


def drop_initial_weights(model: ConfigDict) -> None:
    """Change a segmentor's config so that building it needs no weights."""
    model.pretrained = None
    model.pop('init_cfg', None)
    if 'init_cfg' in model.backbone:
        model.backbone.init_cfg = None


def check_classes(dataset_meta: dict, cfg: Config, source: str | Path) -> None:
    """Check that a model was trained on the classes of the config.

    These may be the classes of the training or of the test data: with
    ``MergeClasses`` the two differ. Nothing is compared if the checkpoint or
    one of the datasets does not name its classes.

    Args:
        dataset_meta: Of the checkpoint.
        cfg: The config that is used with it.
        source: The checkpoint, for the message.

    Raises:
        ValueError: The classes differ; the message shows the first
            difference.
    """
    trained = tuple(dataset_meta.get('classes') or ())
    configured = [
        tuple(dataset_meta_of(cfg, name).get('classes') or ())
        for name in ('test_dataloader', 'train_dataloader')
        if dataset_of(cfg, name) is not None
    ]
    nothing_to_compare = not trained or not configured or () in configured
    if nothing_to_compare or trained in configured:
        return
    wanted = min(configured, key=lambda names: abs(len(names) - len(trained)))
    if len(wanted) != len(trained):
        found = (
            f'{len(trained)} classes in the checkpoint, {len(wanted)} in the '
            'config'
        )
    else:
        i = [a == b for a, b in zip(trained, wanted, strict=True)].index(False)
        found = (
            f'class {i} is {trained[i]!r} in the checkpoint, {wanted[i]!r} '
            'in the config'
        )
    raise ValueError(
        f'{source}: trained on other classes than the config names; use the '
        f'classes and the order of the training. Got: {found}'
    )


def dataset_meta_of(cfg: Config, dataloader: str) -> dict:
    """The classes and palette of a config's data, without reading them.

    Returns:
        The ``metainfo`` of the dataset of ``dataloader``, such as
        ``'test_dataloader'``; empty if the config does not say.
    """
    dataset = dataset_of(cfg, dataloader) or {}
    kind = dataset.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    if not hasattr(kind, '_load_metainfo'):
        return {}
    return kind._load_metainfo(dataset.get('metainfo'))


def _get(value: object, key: str, default: object = None) -> object:
    return (
        dict.get(value, key, default) if isinstance(value, dict) else default
    )


def _as_tensors(weights: object) -> object:
    """The weights of a whole model, or those that are numpy arrays."""
    if isinstance(weights, nn.Module):
        return weights.state_dict()
    if not isinstance(weights, dict):
        return weights
    return {
        name: torch.from_numpy(value)
        if isinstance(value, np.ndarray)
        else value
        for name, value in weights.items()
    }


def _no_tensor(path: str | Path, found: str, trust: bool) -> ValueError:
    """The error of weights that are no tensors."""
    fix = 'save a state dict: torch.save(model.state_dict(), FILE)'
    if not trust:
        fix = f'loading it could run code; {TRUST_HINT}, or {fix}'
    return ValueError(f'{path}: {found} instead of a tensor; {fix}')


def _kind(value: object) -> str:
    inert = isinstance(value, Placeholder | type)
    return 'pickled Python object' if inert else type(value).__name__


def _is_plain(value: object, depth: int = 4) -> bool:
    """Whether it is of numbers, strings and containers, not nested deeply."""
    if depth and isinstance(value, dict):
        value = [item for pair in dict.items(value) for item in pair]
        return _is_plain(value, depth)
    if depth and isinstance(value, list | tuple):
        return all(_is_plain(item, depth - 1) for item in value)
    return value is None or isinstance(value, bool | int | float | str)
