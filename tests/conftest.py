import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from mmengine.registry import init_default_scope

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tools/benchmark'))
# A busy machine is no failure.
settings.register_profile('patient', deadline=None)
settings.load_profile('patient')


@pytest.fixture(autouse=True)
def _mmseg_scope():
    # Without it RandomResize builds mmcv's Resize, which skips extra maps.
    init_default_scope('mmseg')


@pytest.fixture(scope='session')
def data_dir() -> Path:
    """The folder of voc-mini and coco-mini; see README, 'Where things are'."""
    path = Path(os.environ.get('BOX2SEG_DATA', ROOT.parent / 'shared/data'))
    if not (path / 'voc-mini').is_dir():
        pytest.skip(f'{path}/voc-mini is absent; set BOX2SEG_DATA')
    return path


@pytest.fixture
def few_photographs(data_dir, tmp_path) -> Path:
    """voc-mini with ten photographs: eight to train on, two to validate."""
    source, root = data_dir / 'voc-mini', tmp_path / 'data/voc-mini'
    splits = 'ImageSets/Segmentation'
    (root / splits).mkdir(parents=True)
    for name in ('JPEGImages', 'Annotations', 'SegmentationClass'):
        (root / name).symlink_to(source / name)
    for split, count in (('train.txt', 8), ('val.txt', 2)):
        ids = (source / splits / split).read_text().split()[:count]
        (root / splits / split).write_text('\n'.join(ids))
    return root


@pytest.fixture(scope='session')
def scenes(tmp_path_factory) -> Path:
    """Rendered scenes: 16 to train on, 4 to validate on."""
    from rendered_scenes import write_scenes

    path = tmp_path_factory.mktemp('scenes')
    write_scenes(path, num_train=16, num_val=4, side=64, seed=3)
    return path


@pytest.fixture(scope='session')
def stock() -> Callable[..., str]:
    """Runs mmseg's train.py or test.py; returns all that it prints."""

    def run(tool: str, *arguments: object, **options: object) -> str:
        command = [sys.executable, '-m', 'box2seg_mmseg', tool]
        command += [str(argument) for argument in arguments]
        if options:
            pairs = [f'{key}={value}' for key, value in options.items()]
            command += ['--cfg-options', *pairs]
        done = subprocess.run(command, capture_output=True, text=True)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-4000:]
        return output

    return run


@pytest.fixture(scope='session')
def page_blocks() -> Callable[[str], list[list[str]]]:
    """The commands of each shell block of a page, by its path from docs."""

    def read(page: str) -> list[list[str]]:
        text = (ROOT / 'docs' / page).read_text()
        blocks = re.findall(r'```shell\n(.*?)```', text, re.DOTALL)
        return [block.strip().splitlines() for block in blocks]

    return read
