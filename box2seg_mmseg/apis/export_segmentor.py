"""Export a trained Box2Seg model as a plain mmseg model."""

from collections.abc import Iterator
from pathlib import Path

from mmengine.registry import init_default_scope
from mmseg import registry
from mmseg.registry import MODELS

from ..files import replacing
from ..model_config import all_dicts, read_config
from ..models.checkpoints import (
    check_classes,
    dataset_meta_of,
    drop_initial_weights,
    load_checkpoint_file,
    load_weights,
    save_checkpoint_file,
)

_TRAINING_ONLY = (
    'custom_imports',
    'custom_hooks',
    'train_dataloader',
    'train_pipeline',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'model_wrapper_cfg',
)
# Stock parts that take the place of ours.
_STOCK_TYPES = dict(
    CRFEncoderDecoder='EncoderDecoder',
    CRFCascadeEncoderDecoder='CascadeEncoderDecoder',
    CRFSegTTAModel='SegTTAModel',
    TagIoUMetric='IoUMetric',
)
_STOCK_PACKAGES = ('mmcv', 'mmengine', 'mmseg', 'torch')
_REGISTRIES = ('MODELS', 'TRANSFORMS', 'DATASETS', 'METRICS', 'HOOKS')
_REGISTRIES += ('LOOPS', 'VISUALIZERS')


def export_segmentor(
    config: str | Path,
    checkpoint: str | Path,
    out_dir: str | Path,
    allow_plugin: bool = False,
    trust: bool = False,
) -> tuple[Path, Path, list[str]]:
    """Keep encoder and decoder of classes, without a dense CRF.

    Args:
        config: Config of a Box2Seg model.
        checkpoint: Its checkpoint.
        out_dir: Folder for ``segmentor.py`` and ``segmentor.pth``; created if
            needed.
        allow_plugin: Also export a model with parts that mmseg lacks, such as
            EfficientNetLite. The exported config then imports the packages
            that the given one imports, and works only where they are
            installed.
        trust: Load a checkpoint whose weights are not tensors, **which may
            run code in it**.

    Returns:
        The paths of the config and of the checkpoint, and the names of the
        parts that mmseg lacks.

    Raises:
        ValueError: The decode head is not a Box2SegHead, the checkpoint
            needs ``trust`` or does not fit the config, or the model has parts
            that mmseg lacks and ``allow_plugin`` is not set.
    """
    cfg = read_config(config)
    init_default_scope('mmseg')
    head = cfg.model.decode_head
    if not isinstance(head, dict):
        raise ValueError(f'{config}: a cascade of heads cannot be exported')
    if head.type != 'Box2SegHead':
        raise ValueError(
            f'{config}: decode_head must be a Box2SegHead; other heads need '
            f'no export. Got: {head.type}'
        )
    drop_initial_weights(cfg.model)
    cfg.model.test_cfg.pop('crf', None)
    loaded = load_checkpoint_file(checkpoint, trust)
    check_classes(loaded.dataset_meta, cfg, checkpoint)
    model = MODELS.build(cfg.model)
    load_weights(model, loaded.state_dict, checkpoint)
    model.decode_head = model.decode_head.seg_decoder
    weights = model.state_dict()

    cfg.model.decode_head = head.decoder
    imports = cfg.get('custom_imports')
    for key in _TRAINING_ONLY:
        cfg.pop(key, None)
    if None not in (cfg.get('val_evaluator'), cfg.get('test_evaluator')):
        cfg.val_evaluator = cfg.test_evaluator
    # Checks and pictures of ours; mmseg's own hooks stay.
    hooks = cfg.get('default_hooks') or {}
    for name in [k for k, hook in hooks.items() if hook and _lacks(hook)]:
        hooks.pop(name)
    for one in all_dicts(cfg._cfg_dict):
        one.pop('_scope_', None)  # mmengine's mark of an inherited config
    for part in _parts(cfg._cfg_dict):
        part['type'] = _STOCK_TYPES.get(part['type'], part['type'])
    foreign = sorted({p['type'] for p in _parts(cfg._cfg_dict) if _lacks(p)})
    if foreign and not allow_plugin:
        raise ValueError(
            f'{config}: {", ".join(foreign)} is not part of mmseg, so the '
            'exported model would run only where the package of this part is '
            'installed; train with parts of mmseg, such as the MobileNetV2 of '
            'configs/custom, or pass --allow-plugin'
        )
    if foreign:
        cfg.custom_imports = imports
    load_weights(MODELS.build(cfg.model), weights, checkpoint)

    out_dir = Path(out_dir)
    with replacing(out_dir / 'segmentor.py') as part:
        part.write_text(cfg.pretty_text, encoding='utf-8')
    # With MergeClasses the classes of training are not those of the model.
    meta = dataset_meta_of(cfg, 'test_dataloader')
    if len(meta.get('classes', ())) != head.decoder.num_classes:
        meta = loaded.dataset_meta
    save_checkpoint_file(
        out_dir / 'segmentor.pth',
        dict(meta=dict(dataset_meta=meta), state_dict=weights),
    )
    return out_dir / 'segmentor.py', out_dir / 'segmentor.pth', foreign


def _parts(value: object) -> Iterator[dict]:
    """All parts of a config: dicts that name their ``type``."""
    for one in all_dicts(value):
        if isinstance(one.get('type'), str):
            yield one


def _lacks(part: dict) -> bool:
    """Whether a part comes from another package than mmseg and its base."""
    for name in _REGISTRIES:
        found = getattr(registry, name).get(part['type'])
        if found is not None:
            return found.__module__.split('.')[0] not in _STOCK_PACKAGES
    return False
