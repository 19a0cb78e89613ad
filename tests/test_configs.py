"""Rules for the shipped configs; each config is parsed once."""

import ast
from functools import cache
from pathlib import Path

import pytest
import torch
from mmcv.transforms import Compose
from mmengine.config import Config, ConfigDict
from mmseg.registry import DATASETS, MODELS

from box2seg_mmseg.boxes import COCO_CLASSES

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
SOURCES = sorted(CONFIGS.rglob('*.py'))
FILES = [path for path in SOURCES if '_base_' not in path.parts]
# The methods that may train on ground-truth masks.
READS_MASKS = {
    'full',
    'full-attention',
    'finetune',
    'mixed',
    'deep-grabcut-masks',
}
MASK_FOLDERS = ('SegmentationClass', 'SegmentationClassAug', 'masks')


@cache
def _parsed(path: Path) -> ConfigDict:
    return Config.fromfile(path)._cfg_dict


@pytest.fixture(params=FILES, ids=lambda path: path.name[:40])
def path(request) -> Path:
    return request.param


@pytest.fixture
def cfg(path) -> ConfigDict:
    return _parsed(path)


def _build_model(model: ConfigDict) -> torch.nn.Module:
    model = model.copy()
    model.pretrained = None
    model.backbone = dict(model.backbone, init_cfg=None)
    # Shapes alone take no time; a transformer reads its drop path rates.
    device = 'cpu' if 'drop_path_rate' in model.backbone else 'meta'
    with torch.device(device):
        return MODELS.build(model)


def test_models_and_pipelines_build(cfg):
    model = _build_model(cfg.model)
    classes = model.decode_head.num_classes
    if 'auxiliary_head' in cfg.model:
        assert model.auxiliary_head.num_classes == classes
    train, test = (
        cfg[f'{name}_dataloader'].dataset for name in ('train', 'test')
    )
    assert DATASETS.get(train.type) is not None
    metainfo = test.get('metainfo') or DATASETS.get(test.type).METAINFO
    assert len(metainfo['classes']) == classes
    Compose(train.pipeline)
    Compose(test.pipeline)
    if 'tta_pipeline' in cfg:  # for test.py --tta
        Compose(cfg.tta_pipeline)
        assert cfg.tta_model.type.startswith('CRF') == (
            cfg.model.type.startswith('CRF')
        )
    steps = [step.type for step in train.pipeline]
    if 'MergeClasses' in steps:
        labels = ('LoadPseudoLabels', 'LoadAnnotations')
        merge = steps.index('MergeClasses')
        assert steps[merge - 1] in labels
        assert 'LoadBoxes' not in steps[:merge]
    assert cfg.test_evaluator.type == 'IoUMetric'


def test_names_say_batch_and_schedule(path, cfg):
    batch, iters = path.name.split('xb')[1].split('_')[0].split('-')
    assert cfg.train_dataloader.batch_size == int(batch)
    iters = int(iters.replace('k', '000'))
    assert cfg.train_cfg.max_iters == iters
    assert cfg.param_scheduler[-1].end == iters


def test_box2seg_trains_the_network_of_a_baseline(cfg):
    """Some config trains the decoder alone: network, tests, schedule alike."""
    head = cfg.model.decode_head
    if head.type != 'Box2SegHead':
        return
    same = ('param_scheduler', 'train_cfg', 'test_dataloader')
    baselines = [
        other
        for other in map(_parsed, FILES)
        if other.model.decode_head == head.decoder
        and other.model.backbone == cfg.model.backbone
        and other.model.get('pretrained') == cfg.model.get('pretrained')
        and all(other[key] == cfg[key] for key in same)
    ]
    assert baselines
    if cfg.train_dataloader.dataset.type.startswith('BoxSupervised'):
        assert cfg.optim_wrapper in [one.optim_wrapper for one in baselines]


def test_masks_are_read_by_those_that_say_so(path, cfg):
    dataset = cfg.train_dataloader.dataset
    weak = dataset.type.startswith('BoxSupervised')
    reads_masks = not weak or dataset.get('mask_ann_file') is not None
    assert reads_masks == (path.name.split('_')[0] in READS_MASKS)
    labels = Path(dataset.get('pseudo_label_dir') or '')
    assert not set(labels.parts) & set(MASK_FOLDERS)


def test_splits_are_kept_apart(cfg):
    """By the names of the lists, which the converters keep apart."""
    dataset = cfg.train_dataloader.dataset
    for key in ('ann_file', 'mask_ann_file'):
        split = dataset.get(key)
        assert split is None or ('train' in split and 'val' not in split)
    for key in ('val_dataloader', 'test_dataloader'):
        if cfg.get(key) is not None:  # your own data may have no masks
            split = cfg[key].dataset.ann_file
            assert 'val' in split and 'train' not in split


def test_an_interrupted_run_resumes(cfg):
    """mmengine's ``--resume`` takes ``load_from`` as the run to resume."""
    assert cfg.load_from is None


@pytest.mark.parametrize('source', SOURCES, ids=lambda path: path.name[:40])
def test_a_config_is_plain_data(source):
    """No import (mmengine would read a lazy config), file or environment."""
    text = source.read_text()
    assert '{{$' not in text
    # mmengine's placeholders are no Python, but sets of sets are.
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.With)
        if isinstance(node, ast.Call):
            called = node.func
            assert getattr(called, 'id', 'dict') == 'dict'
            assert getattr(called, 'attr', 'insert') == 'insert'


def test_cocos_classes_are_the_readers():
    cfg = _parsed(CONFIGS / '_base_/datasets/coco.py')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        classes = loader.dataset.metainfo.classes
        assert classes == ['background', *COCO_CLASSES]


USERS = """
_base_ = '{base}'
classes = ['background', 'mug', 'plate', 'fork']
model = dict(decode_head=dict({head}))
data = dict(data_root='photos', metainfo=dict(classes=classes))
train_dataloader = dict(
    dataset=dict(
        box_source=dict(type='YOLOTxt'),
        img_suffix='.png',
        pseudo_label_dir='photos/labels',
        **data,
    )
)
test_dataloader = dict(dataset=dict(img_suffix='.png', **data))
"""


@pytest.mark.parametrize(
    ('method', 'head'),
    [('grabcut', 'num_classes=4'), ('box2seg', 'decoder=dict(num_classes=4)')],
)
def test_a_users_config_sets_its_own_data(tmp_path, method, head):
    (base,) = (CONFIGS / 'custom').glob(f'{method}_*.py')
    path = tmp_path / 'mine.py'
    path.write_text(USERS.format(base=base.as_posix(), head=head))
    cfg = Config.fromfile(path)
    head = _build_model(cfg.model).decode_head
    assert head.num_classes == head.out_channels == 4
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'BoxSupervisedDataset'
    assert dataset.box_source == dict(type='YOLOTxt')
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == 'photos'
        assert loader.dataset.img_suffix == '.png'
        assert len(loader.dataset.metainfo.classes) == 4
    assert 'val_dataloader' not in cfg and cfg.val_cfg is None
