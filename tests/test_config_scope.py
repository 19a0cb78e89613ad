import logging

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS, LOOPS, METRICS, MODELS, TRANSFORMS

import box2seg_mmseg
from box2seg_mmseg.installed import installed_files

SCOPE = 'box2seg_mmseg'
CONFIGS = installed_files('configs')
(SCENES,) = (
    path.relative_to(CONFIGS).as_posix()
    for path in CONFIGS.glob('scenes/box2seg_*.py')
)


@pytest.fixture
def config(tmp_path):
    def read(text):
        path = tmp_path / 'mine.py'
        path.write_text(text)
        return Config.fromfile(path)

    return read


def test_a_config_in_any_folder_inherits_ours(config):
    shipped = Config.fromfile(CONFIGS / SCENES)
    mine = config(
        f"_base_ = 'box2seg_mmseg::{SCENES}'\n"
        'model = dict(decode_head=dict(share_decoder=True))\n'
    )
    assert mine.model.decode_head.pop('share_decoder') is True
    assert mine.model.pop('_scope_') == SCOPE
    assert mine.model == shipped.model
    assert mine.custom_imports.imports == ['box2seg_mmseg']


@pytest.mark.parametrize(
    'name',
    sorted(
        path.relative_to(CONFIGS).as_posix()
        for path in CONFIGS.glob('[!_]*/*.py')
    ),
)
def test_every_shipped_config_can_be_inherited(config, name):
    """mmengine refuses some folder names, such as those with a hyphen."""
    mine = config(f"_base_ = 'box2seg_mmseg::{name}'")
    assert mine.model.pop('_scope_') == SCOPE
    assert mine.model == Config.fromfile(CONFIGS / name).model


def test_a_config_in_any_folder_inherits_mmsegs(config):
    """On the onedl stack, too, whose mmengine does not find them."""
    mine = config("_base_ = 'mmseg::_base_/models/upernet_r50.py'")
    assert mine.model.decode_head.type == 'UPerHead'


def test_what_is_inherited_builds_as_mmsegs_without_a_warning(
    config, caplog, monkeypatch
):
    mine = config(f"_base_ = 'box2seg_mmseg::{SCENES}'")
    mine.model.pretrained = mine.model.backbone.init_cfg = None
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'propagate', True)
    with caplog.at_level(logging.WARNING):
        model = MODELS.build(mine.model)
        resize = dict(type='RandomResize', scale=(9, 9), ratio_range=(1, 2))
        transform = TRANSFORMS.build(dict(resize, _scope_=SCOPE))
        METRICS.build(dict(mine.val_evaluator, _scope_=SCOPE))
        for registry, name in (
            (LOOPS, 'IterBasedTrainLoop'),
            (DATASETS, 'BoxSupervisedVOCDataset'),
        ):
            with registry.switch_scope_and_registry(SCOPE) as ours:
                assert ours.scope == SCOPE
                assert ours.get(name) is registry.get(name) is not None
    words = ('registry', 'install')
    assert not [r for r in caplog.messages if any(w in r for w in words)]
    assert type(model.decode_head).__module__.startswith('box2seg_mmseg.')
    # mmcv's own Resize would leave extra maps at their size.
    assert type(transform.resize).__module__.startswith('mmseg.')
    assert DefaultScope.get_current_instance().scope_name == 'mmseg'


def test_our_modules_are_in_mmsegs_registries():
    box2seg_mmseg.register_all_modules()  # a second time
    assert 'Box2SegHead' in MODELS.module_dict
    assert MODELS.children[SCOPE].module_dict == {}
