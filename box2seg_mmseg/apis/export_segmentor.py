"""From a trained Box2Seg to a plain mmseg model."""

from pathlib import Path

import torch
from mmengine.config import Config

from ..files import replacing

TRAINING_ONLY = (
    'custom_imports',
    'custom_hooks',
    'train_dataloader',
    'train_pipeline',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
)
# In place of ours, which run the dense CRF or know the tags of an image.
STOCK_TYPES = dict(
    TagIoUMetric='IoUMetric',
    CRFValLoop='ValLoop',
    CRFTestLoop='TestLoop',
    CRFSegTTAModel='SegTTAModel',
)
# Parts of the miniature that mmseg lacks: a model with them needs this
# package.
NOT_IN_MMSEG = ('EfficientNetLite', 'MergeClasses')


def export_segmentor(
    config: str | Path, checkpoint: str | Path, out_dir: str | Path
) -> tuple[Path, Path]:
    """Keep what runs at test time: the encoder and the decoder of classes.

    Args:
        config: Config of a Box2Seg model.
        checkpoint: Its checkpoint.
        out_dir: Folder for ``segmentor.py`` and ``segmentor.pth``; made if
            absent.

    Returns:
        Paths of the config and the checkpoint. Stock mmseg takes them without
        this package, unless the miniature's backbone or its one class need
        it; then the config imports it. A dense CRF is left out.

    Raises:
        ValueError: The config's decode head is no Box2SegHead, or the
            file is no checkpoint or has none of its weights.
    """
    cfg = Config.fromfile(config)
    head = cfg.model.decode_head
    if head.type != 'Box2SegHead':
        raise ValueError(
            f'{config}: decode_head must be a Box2SegHead; other heads are '
            f'stock already. Got: {head.type}'
        )
    cfg.model.decode_head = head.decoder
    cfg.model.type = cfg.model.type.removeprefix('CRF')
    cfg.model.test_cfg.pop('crf', None)
    for key in ('val_cfg', 'test_cfg', 'tta_model', 'test_evaluator'):
        if cfg.get(key) is not None:
            cfg[key].type = STOCK_TYPES.get(cfg[key].type, cfg[key].type)
    cfg.model.pretrained = None
    cfg.model.pop('init_cfg', None)
    cfg.model.backbone.init_cfg = None
    if cfg.get('val_evaluator') is not None:
        cfg.val_evaluator = cfg.test_evaluator
    imports = cfg.get('custom_imports')
    for key in TRAINING_ONLY:
        cfg.pop(key, None)
    if any(name in cfg.pretty_text for name in NOT_IN_MMSEG):
        cfg.custom_imports = imports

    # Checkpoints of mmengine hold more than tensors: load your own only.
    try:
        loaded = torch.load(checkpoint, 'cpu', weights_only=False)
        state_dict = loaded['state_dict']
    except Exception as error:  # torch.load raises many kinds
        raise ValueError(
            f"{checkpoint}: not a checkpoint of mmengine's: {error!r}"
        ) from error
    weights = {}
    for name, value in state_dict.items():
        if name.startswith('decode_head.seg_decoder.'):
            weights[name.replace('seg_decoder.', '', 1)] = value
        elif not name.startswith('decode_head.'):
            weights[name] = value
    if not any(name.startswith('decode_head.') for name in weights):
        raise ValueError(f'{checkpoint}: has no weights of a Box2SegHead')
    meta = {
        key: value
        for key, value in loaded.get('meta', {}).items()
        if key == 'dataset_meta'
    }

    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    cfg.dump(out_dir / 'segmentor.py')
    with replacing(out_dir / 'segmentor.pth') as part:
        torch.save(dict(meta=meta, state_dict=weights), part)
    return out_dir / 'segmentor.py', out_dir / 'segmentor.pth'
