"""The configs for GPUs, as far as a CPU goes: small crops, two steps."""

from pathlib import Path

import pytest

from box2seg_mmseg.boxes import iter_voc_xml
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize(
    'name',
    [
        'box2seg/box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py',
        'baselines/full_upernet_r101_4xb4-40k_voc12aug-512x512.py',
    ],
)
def test_stock_tools_train_and_test(stock, data_dir, tmp_path, name):
    root = data_dir / 'voc-mini'
    ids = (root / 'ImageSets/Segmentation/val.txt').read_text().split()[:4]
    split = tmp_path / 'split.txt'
    split.write_text('\n'.join(ids) + '\n')
    options = {
        'model.pretrained': None,
        'model.data_preprocessor.size': '(128,128)',
        'train_cfg.max_iters': 2,
        'train_dataloader.batch_size': 2,
        'default_hooks.logger.interval': 1,
        'test_dataloader.dataset.pipeline.1.scale': '(256,128)',
    }
    for loader in ('train', 'val', 'test'):
        options |= {
            f'{loader}_dataloader.dataset.data_root': root,
            f'{loader}_dataloader.dataset.ann_file': split,
            f'{loader}_dataloader.num_workers': 0,
            f'{loader}_dataloader.persistent_workers': False,
        }
    if name.startswith('box2seg'):
        generate_pseudo_labels(
            iter_voc_xml(root, ids),
            build_labeler(dict(type='BoxFill')),
            tmp_path / 'labels',
        )
        options |= {
            'train_dataloader.dataset.pseudo_label_dir': tmp_path / 'labels',
            'train_dataloader.dataset.pipeline.4.crop_size': '(128,128)',
            'model.decode_head.warmup_iters': 1,
        }
    else:
        options |= {
            'train_dataloader.dataset.data_prefix.seg_map_path': (
                'SegmentationClass'
            ),
            'train_dataloader.dataset.pipeline.3.crop_size': '(128,128)',
        }
    arguments = (CONFIGS / name, '--work-dir', tmp_path / 'work')
    no_validation = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    train = stock('train', *arguments, **options | no_validation)
    assert '[2/2]' in train and 'loss: nan' not in train
    checkpoint = tmp_path / 'work/iter_2.pth'
    arguments = (CONFIGS / name, checkpoint, '--work-dir', tmp_path / 'test')
    assert 'mIoU' in stock('test', *arguments, **options)
