import subprocess
import sys
from pathlib import Path

import pytest

from box2seg_mmseg import toolbox
from box2seg_mmseg.toolbox import ToolboxError, find_stack

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
ONEDL = {
    'onedl-mmsegmentation': '1.4.2',
    'onedl-mmcv': '2.3.6',
    'onedl-mmengine': '0.10.12',
}
UPSTREAM = {
    'mmsegmentation': '1.2.2',
    'mmcv': '2.1.0',
    'mmengine': '0.10.7',
}


def test_finds_both_stacks():
    assert find_stack(ONEDL) == 'onedl'
    assert find_stack(UPSTREAM | {'torch': '2.13.0'}) == 'openmmlab'


@pytest.mark.parametrize(
    ('installed', 'words'),
    [
        ({}, ['found:  nothing', 'pip install "onedl-mmsegmentation>=1.4.2"']),
        (
            UPSTREAM | {'mmcv': '2.2.0'},
            ['mmcv 2.2.0', 'mmcv>=2.1.0,<2.2.0', 'pip install'],
        ),
        (
            ONEDL | {'onedl-mmcv': '2.3.5'},
            ['onedl-mmcv 2.3.5', 'onedl-mmcv>=2.3.6', 'pip install'],
        ),
        (
            {k: v for k, v in UPSTREAM.items() if k != 'mmengine'},
            ['mmsegmentation 1.2.2', 'mmengine>=0.10.7'],
        ),
        (ONEDL | {'mmcv': '2.1.0'}, ['only one stack', 'uninstall -y mmcv']),
    ],
)
def test_errors_name_what_is_wrong_and_the_fix(installed, words):
    with pytest.raises(ToolboxError) as error:
        find_stack(installed)
    assert all(word in str(error.value) for word in words)


def test_error_if_mmseg_does_not_import(monkeypatch):
    def fail(_):
        raise AssertionError('MMCV==9.9 is used but incompatible')

    monkeypatch.setattr(toolbox, 'import_module', fail)
    with pytest.raises(ToolboxError, match=r'MMCV==9\.9') as error:
        toolbox.require_toolbox()
    assert 'found:' in str(error.value) and 'fix:' in str(error.value)


@pytest.mark.parametrize(
    ('installed', 'oldest'),
    [
        (ONEDL, '2.3'),
        (ONEDL | {'torch': '2.2.2'}, '2.3'),
        (UPSTREAM | {'torch': '2.0.1'}, '2.1'),
    ],
)
def test_error_if_torch_is_missing_or_too_old(monkeypatch, installed, oldest):
    def version(name):
        if name not in installed:
            raise toolbox.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(toolbox, 'version', version)
    with pytest.raises(ToolboxError, match=f'pip install "torch>={oldest}"'):
        toolbox.require_toolbox()


def test_the_extras_name_the_versions_that_are_checked():
    """The metadata is static, so the versions stand in two places."""
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    extras = project['optional-dependencies']
    assert extras['onedl'][:3] == toolbox.requirements('onedl')
    assert extras['openmmlab'] == [
        *toolbox.requirements('openmmlab'),
        'ftfy',
        'regex',
        'setuptools<81',
    ]
    oldest = toolbox.OLDEST_TORCH
    assert f'torch>={oldest["onedl"]}' in extras['onedl']
    assert f'torch>={oldest["openmmlab"]}' in project['dependencies']


def test_importing_the_package_registers_everything():
    code = (
        'import box2seg_mmseg\n'
        'from mmseg.registry import DATASETS, HOOKS, MODELS, TRANSFORMS\n'
        'from mmseg.registry import OPTIM_WRAPPERS\n'
        'for registry, names in (\n'
        '    (MODELS, "Box2SegHead GrabCutLoss AttentionWeightedLoss "\n'
        '     "AffinityLoss"),\n'
        '    (DATASETS, "BoxSupervisedVOCDataset"),\n'
        '    (TRANSFORMS, "LoadBoxes LoadPseudoLabels "\n'
        '     "GeneratePseudoLabels PackBox2SegInputs"),\n'
        '    (HOOKS, "RandomStateHook KeepMemoryHook"),\n'
        '    (OPTIM_WRAPPERS, "BFloat16OptimWrapper")):\n'
        '    for name in names.split():\n'
        '        assert name in registry.module_dict, name\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True)
