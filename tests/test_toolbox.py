import subprocess
import sys

import pytest

from box2seg_mmseg import toolbox
from box2seg_mmseg.toolbox import ToolboxError, find_stack

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


def test_the_two_stacks_are_known():
    assert find_stack(ONEDL) == 'onedl'
    assert find_stack(UPSTREAM | {'torch': '2.13.0'}) == 'openmmlab'


@pytest.mark.parametrize(
    ('installed', 'words'),
    [
        ({}, ['found:  nothing', 'pip install "onedl-mmsegmentation>=1.4.2"']),
        (
            UPSTREAM | {'mmcv': '2.2.0'},
            ['mmcv 2.2.0', 'mmcv>=2.0.0,<2.2.0', 'pip install'],
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
def test_what_can_not_work_is_told_with_its_cure(installed, words):
    with pytest.raises(ToolboxError) as error:
        find_stack(installed)
    assert all(word in str(error.value) for word in words)


def test_a_toolbox_that_does_not_import_is_told(monkeypatch):
    def fail(_):
        raise AssertionError('MMCV==9.9 is used but incompatible')

    monkeypatch.setattr(toolbox, 'import_module', fail)
    with pytest.raises(ToolboxError, match=r'MMCV==9\.9') as error:
        toolbox.require_toolbox()
    assert 'found:' in str(error.value) and 'mend:' in str(error.value)


def test_torch_is_needed_first(monkeypatch):
    def absent(name):
        raise toolbox.PackageNotFoundError(name)

    monkeypatch.setattr(toolbox, 'version', absent)
    with pytest.raises(ToolboxError, match=r'pip install "torch>=2\.1"'):
        toolbox.require_toolbox()


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
