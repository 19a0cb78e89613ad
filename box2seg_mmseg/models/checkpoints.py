"""Checkpoints: read without running their code, checked against a model."""

import io
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from mmengine.config import Config
from mmseg.registry import DATASETS
from torch import Tensor, nn

from ..files import replacing


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


def load_checkpoint_file(path: str | Path) -> Checkpoint:
    """Read the weights and the classes of a checkpoint.

    A checkpoint is a pickle, which can run any code when it is loaded. Here
    only tensors and plain containers are built. Every other object, such as
    mmengine's log buffers that ``weights_only=True`` refuses, becomes an
    inert placeholder.

    Args:
        path: A dict with ``state_dict`` and optionally ``meta``, or a bare
            state dict.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or no checkpoint, or its weights are
            other objects than tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such checkpoint')
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
            if any(name.endswith('/constants.pkl') for name in names):
                raise ValueError('it is a TorchScript archive')
        content = torch.load(
            path,
            map_location='cpu',
            pickle_module=_PICKLE,
            weights_only=False,  # pickle_module is the stricter of the two
        )
    except Exception as error:  # torch.load raises many kinds
        raise ValueError(
            f'{path}: not a checkpoint, or a damaged one: {error}'
        ) from error
    state_dict = _get(content, 'state_dict', content)
    if isinstance(state_dict, dict):
        bad = [
            name
            for name, value in state_dict.items()
            if not isinstance(name, str) or not isinstance(value, Tensor)
        ]
    else:
        bad = ['its content']
    if bad:
        raise ValueError(
            f'{path}: {bad[0]} is a pickled Python object instead of a '
            'tensor, and loading it could run code; save the state dict '
            'instead: torch.save(dict(state_dict=model.state_dict()), FILE)'
        )
    meta = _get(_get(content, 'meta'), 'dataset_meta')
    meta = meta if isinstance(meta, dict) else {}
    plain = {key: meta[key] for key in meta if _is_plain(meta[key])}
    return Checkpoint(state_dict, plain)


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


def check_classes(dataset_meta: dict, cfg: Config, source: str | Path) -> None:
    """Check that a model was trained on the classes of the config.

    These may be the classes of the training or of the test data: with
    ``MergeClasses`` the two differ. Where the checkpoint or the config has
    none there is nothing to compare.

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
        tuple(meta['classes'])
        for name in ('test_dataloader', 'train_dataloader')
        if (meta := dataset_meta_of(cfg, name)).get('classes')
    ]
    if not trained or not configured or trained in configured:
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
    dataset = (cfg.get(dataloader) or {}).get('dataset')
    while dataset is not None and 'type' in dataset:
        if 'dataset' in dataset:  # a RepeatDataset
            dataset = dataset['dataset']
        elif 'datasets' in dataset:  # a ConcatDataset
            dataset = dataset['datasets'][0]
        else:
            kind = dataset['type']
            kind = DATASETS.get(kind) if isinstance(kind, str) else kind
            if not hasattr(kind, '_load_metainfo'):
                break
            return kind._load_metainfo(dataset.get('metainfo'))
    return {}


def _get(value: object, key: str, default: object = None) -> object:
    return value.get(key, default) if isinstance(value, dict) else default


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return _is_plain([*value, *value.values()])
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str)


class _Placeholder:
    """Takes whatever a pickle does to an object, and does nothing."""

    def __new__(cls, *args, **kwargs) -> '_Placeholder':
        return super().__new__(cls)

    def _ignore(self, *args, **kwargs) -> '_Placeholder':
        return self

    __call__ = __setstate__ = __setitem__ = _ignore
    append = extend = add = _ignore


class _Unpickler(pickle.Unpickler):
    """Builds tensors and plain containers only."""

    def find_class(self, module: str, name: str) -> object:
        found = getattr(torch, name, None) if module == 'torch' else None
        if isinstance(found, torch.dtype) or found is torch.Size:
            return found
        if (module, name) == ('collections', 'OrderedDict'):
            return OrderedDict
        if module == 'torch._utils' and name in (
            '_rebuild_tensor',
            '_rebuild_tensor_v2',
            '_rebuild_parameter',
        ):
            # A new function each time: a pickle may set its attributes.
            return lambda *args: getattr(torch._utils, name)(*args)
        # A new class each time, for the same reason.
        return type('Placeholder', (_Placeholder,), {})


def _load(file: io.IOBase, **options) -> object:
    """What torch calls for the old format, in place of ``pickle.load``."""
    return _Unpickler(file, **options).load()


# torch asks for the name of the module.
_PICKLE = SimpleNamespace(__name__=__name__, Unpickler=_Unpickler, load=_load)
