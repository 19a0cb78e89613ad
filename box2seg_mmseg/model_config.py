"""Reads the config of a model in the forms that mmengine allows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config, ConfigDict

from .errors import UsageError

_PACKAGES = ('mmcv.', 'mmengine.', 'mmseg.', 'box2seg_mmseg.')


def read_config(path: str | Path) -> Config:
    """Read a config and write every ``type`` as a plain name.

    mmengine also takes names with a scope, ``'mmseg.EncoderDecoder'``, and in
    configs that import what they use, the classes themselves.

    Args:
        path: The config file.

    Returns:
        The config; classes of packages other than OpenMMLab's and this one
        are left as they are.
    """
    cfg = Config.fromfile(path)
    for part in all_dicts(cfg._cfg_dict):
        kind = part.get('type')
        if isinstance(kind, str):
            part['type'] = kind.removeprefix('mmseg.')
        elif isinstance(kind, type) and kind.__module__.startswith(_PACKAGES):
            part['type'] = kind.__name__
    return cfg


def all_dicts(value: object) -> Iterator[dict]:
    """All dicts in nested dicts, lists and tuples, the outer ones first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from all_dicts(item)


def dataset_of(cfg: Config, dataloader: str) -> ConfigDict | None:
    """The data set of a dataloader, without wrappers; the first of several.

    Args:
        cfg: The config.
        dataloader: Such as ``'test_dataloader'``.

    Returns:
        The config of the data set; None if there is none.
    """
    dataset = (cfg.get(dataloader) or {}).get('dataset')
    while dataset is not None:
        if 'dataset' in dataset:  # such as RepeatDataset
            dataset = dataset['dataset']
        elif 'datasets' in dataset:  # such as ConcatDataset
            dataset = dataset['datasets'][0]
        else:
            break
    return dataset


def prediction_pipeline(cfg: Config, source: str | Path) -> Sequence[dict]:
    """The steps that load an image to predict.

    Args:
        cfg: The config.
        source: Its file, for the message.

    Raises:
        UsageError: The config has no test data, or they have no pipeline.
    """
    pipeline = (dataset_of(cfg, 'test_dataloader') or {}).get('pipeline')
    if pipeline is None:
        raise UsageError(
            f'{source}: set test_dataloader and the pipeline of its dataset; '
            'images are loaded with it'
        )
    return pipeline
