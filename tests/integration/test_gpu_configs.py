"""The configs for GPUs: a step or two, on a CPU with small crops."""

from pathlib import Path

import pytest
from mmengine.config import Config

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def _step(cfg, loader, kind):
    """The key of a step in the pipeline of a loader."""
    pipeline = cfg[f'{loader}_dataloader'].dataset.pipeline
    (number,) = (i for i, one in enumerate(pipeline) if one.type == kind)
    return f'{loader}_dataloader.dataset.pipeline.{number}'


UPERNET = 'box2seg/box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'


@pytest.mark.parametrize(
    ('name', 'side', 'batch_size'),
    [
        (UPERNET, 128, 2),
        pytest.param(UPERNET, 512, 4, marks=pytest.mark.gpu),
        *(
            (name, 128, 2)
            for name in (
                'box2seg/'
                'box2seg_deeplabv3plus_r101_4xb4-40k_voc12aug-512x512.py',
                'box2seg/box2seg_segformer_mit-b2_4xb4-40k_voc12aug-512x512.py',
                'baselines/full_upernet_r101_4xb4-40k_voc12aug-512x512.py',
                'box2seg/'
                'full-attention_upernet_r101_4xb4-40k_voc12aug-512x512.py',
            )
        ),
    ],
)
def test_stock_tools_train_and_test(
    stock, photographs, tmp_path, name, side, batch_size
):
    cfg = Config.fromfile(CONFIGS / name)
    split = photographs / 'ImageSets/Segmentation/train.txt'
    # The other networks add nothing to a second step or to test.py.
    iters = 2 if 'upernet' in name else 1
    options = {
        'model.pretrained': None,
        'model.backbone.init_cfg': None,
        'model.data_preprocessor.size': f'({side},{side})',
        'train_cfg.max_iters': iters,
        'train_dataloader.batch_size': batch_size,
        'default_hooks.logger.interval': 1,
        'default_hooks.checkpoint.save_optimizer': False,
        f'{_step(cfg, "test", "Resize")}.scale': f'({2 * side},{side})',
        f'{_step(cfg, "train", "RandomCrop")}.crop_size': f'({side},{side})',
    }
    for loader in ('train', 'val', 'test'):
        options |= {
            f'{loader}_dataloader.dataset.data_root': photographs,
            f'{loader}_dataloader.dataset.ann_file': split,
            f'{loader}_dataloader.num_workers': 0,
            f'{loader}_dataloader.persistent_workers': False,
        }
    dataset = cfg.train_dataloader.dataset
    if 'mask_ann_file' in dataset:
        options |= {
            'train_dataloader.dataset.mask_ann_file': split,
            'train_dataloader.dataset.mask_dir': 'SegmentationClass',
        }
    elif 'pseudo_label_dir' in dataset:
        generate_pseudo_labels(
            VOCXML(photographs).read(split.read_text().split()),
            build_labeler(dict(type='BoxFill')),
            tmp_path / 'labels',
        )
        options['train_dataloader.dataset.pseudo_label_dir'] = (
            tmp_path / 'labels'
        )
    else:
        options['train_dataloader.dataset.data_prefix.seg_map_path'] = (
            'SegmentationClass'
        )
    if cfg.model.decode_head.type == 'Box2SegHead':
        options['model.decode_head.losses.1.warmup_iters'] = iters - 1
    arguments = (CONFIGS / name, '--work-dir', tmp_path / 'work')
    no_validation = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    train = stock('train', *arguments, **options | no_validation)
    assert f'[{iters}/{iters}]' in train and 'loss: nan' not in train
    if iters == 1:
        return
    checkpoint = tmp_path / 'work/iter_2.pth'
    arguments = (CONFIGS / name, checkpoint, '--work-dir', tmp_path / 'test')
    assert 'mIoU' in stock('test', *arguments, **options)
