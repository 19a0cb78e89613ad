from pathlib import Path

import pytest
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmseg.registry import DATASETS, MODELS

from box2seg_mmseg.boxes import COCO_CLASSES

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
# What pretrain trains on, and the data of the runs that it is for.
PRETRAINED_ON = {
    'coco-mini': 'voc-mini',
    'coco20': 'voc12aug',
    'openimages': 'voc12aug',
}
FILES = sorted(
    path.relative_to(CONFIGS).as_posix()
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.parts
)


@pytest.fixture(autouse=True)
def _custom_data(tmp_path, monkeypatch):
    (tmp_path / 'classes.txt').write_text('mug\n')
    monkeypatch.setenv('BOX2SEG_CUSTOM', str(tmp_path))


@pytest.mark.parametrize('name', FILES)
def test_models_and_pipelines_build(name):
    cfg = Config.fromfile(CONFIGS / name)
    cfg.model.pretrained = None
    cfg.model.backbone.init_cfg = None
    with torch.device('meta'):  # shapes alone, in no time
        model = MODELS.build(cfg.model)
    classes = model.decode_head.num_classes
    if 'auxiliary_head' in cfg.model:
        assert model.auxiliary_head.num_classes == classes
    dataset = cfg.train_dataloader.dataset
    for transform in dataset.pipeline:
        if transform.type == 'LoadBoxes':
            assert transform.num_classes == classes
    Compose(dataset.pipeline)
    Compose(cfg.test_dataloader.dataset.pipeline)
    if 'scenes' not in name:
        Compose(cfg.tta_pipeline)  # for test.py --tta
        assert cfg.tta_model.type.startswith('CRF') == (
            cfg.model.type.startswith('CRF')
        )
    weak = dataset.type.startswith('BoxSupervised')
    masks = ('full_', 'few_', 'finetune_')
    assert weak != Path(name).name.startswith(masks)
    assert DATASETS.get(dataset.type) is not None


@pytest.mark.parametrize('name', FILES)
def test_names_tell_batch_and_schedule(name):
    cfg = Config.fromfile(CONFIGS / name)
    batch, iters = name.split('xb')[1].split('_')[0].split('-')
    assert cfg.train_dataloader.batch_size == int(batch)
    iters = int(iters.replace('k', '000'))
    assert cfg.train_cfg.max_iters == iters
    assert cfg.param_scheduler[-1].end == iters


@pytest.mark.parametrize('name', FILES)
def test_methods_differ_in_what_they_should(name):
    """A baseline is the same run but for labels and head."""
    method, rest = Path(name).name.split('_', 1)
    cfg = Config.fromfile(CONFIGS / name)
    for other, data in PRETRAINED_ON.items():
        rest = rest.replace(other, data)
    if 'r50' in rest:  # It has no baselines; R-101 has.
        rest = rest.replace('r50', 'r101')
        cfg.model.pretrained = 'open-mmlab://resnet101_v1c'
        cfg.model.backbone.depth = 101
    (baseline,) = CONFIGS.rglob(f'grabcut_{rest}')
    base = Config.fromfile(baseline)
    if method == 'finetune':
        cfg.optim_wrapper.optimizer.lr = base.optim_wrapper.optimizer.lr
    for key in ('optim_wrapper', 'param_scheduler', 'val_dataloader'):
        assert cfg.get(key) == base.get(key)
    if method == 'box2seg-noisy':
        for key in ('box_dir', 'pseudo_label_dir'):
            noise = cfg.train_dataloader.dataset.pop(key)
            assert noise.endswith('merge-30')
        base.train_dataloader.dataset.pop('pseudo_label_dir')
    if method.startswith('box2seg'):
        assert cfg.model.decode_head.pop('decoder') == base.model.decode_head
        assert cfg.train_dataloader == base.train_dataloader
        assert cfg.model.backbone == base.model.backbone


@pytest.mark.parametrize('name', FILES)
def test_splits_are_kept_apart(name):
    """By the names of the lists; prepare_voc and voc-mini keep them apart."""
    cfg = Config.fromfile(CONFIGS / name)
    dataset = cfg.train_dataloader.dataset
    for key in ('ann_file', 'mask_ann_file'):
        split = dataset.get(key)
        assert split is None or ('train' in split and 'val' not in split)
    for key in ('val_dataloader', 'test_dataloader'):
        if cfg.get(key) is not None:  # one's own data may have no masks
            split = cfg[key].dataset.ann_file
            assert 'val' in split and 'train' not in split


@pytest.mark.parametrize('name', FILES)
def test_an_interrupted_run_goes_on(name):
    """mmengine's ``--resume`` takes ``load_from`` for the run to go on."""
    assert Config.fromfile(CONFIGS / name).load_from is None


def test_cocos_classes_are_the_readers():
    cfg = Config.fromfile(CONFIGS / '_base_/datasets/coco_boxes.py')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        classes = loader.dataset.metainfo.classes
        assert classes == ['background', *COCO_CLASSES]
