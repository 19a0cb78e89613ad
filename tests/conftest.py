import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import HealthCheck, settings
from mmengine.registry import init_default_scope

from box2seg_mmseg.boxes import VOC_CLASSES, BoxAnnotations, write_voc_xml
from box2seg_mmseg.label_maps import write_label_png

ROOT = Path(__file__).resolve().parent.parent
for folder in (
    '.',
    'analysis_tools',
    'benchmark',
    'dataset_converters',
    'model_converters',
):
    sys.path.insert(0, str(ROOT / 'tools' / folder))
# For head_cases, which two test modules import.
sys.path.insert(0, str(ROOT / 'tests/models/decode_heads'))
# A busy machine is no failure. `make test-properties` runs the thorough ones.
settings.register_profile('patient', deadline=None)
settings.register_profile(
    'thorough',
    deadline=None,
    max_examples=7000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile('patient')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests and properties; skip GPU tests without a GPU."""
    no_gpu = pytest.mark.skip(reason='needs a CUDA device')
    for item in items:
        if item.get_closest_marker('gpu') and not torch.cuda.is_available():
            item.add_marker(no_gpu)
        if 'integration' in item.path.parts:
            item.add_marker(pytest.mark.slow)
        if getattr(item.obj, 'is_hypothesis_test', False):
            item.add_marker(pytest.mark.property)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Count the examples of a property in its report."""
    text = getattr(item, 'hypothesis_statistics', '')
    counts = re.findall(r'(\d+) passing', text)
    outcome = yield
    outcome.get_result().num_examples = sum(map(int, counts))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show how many examples of properties passed."""
    total = sum(
        report.num_examples
        for report in terminalreporter.getreports('passed')
        if report.when == 'call'
    )
    if total:
        terminalreporter.write_line(f'{total} examples of properties passed')


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


# Objects in scikit-image's photographs: VOC's class (or the one whose place it
# takes, for a cup and a rocket) and box, xyxy in the photograph's pixels.
OBJECTS = {
    'astronaut': ('person', (25, 10, 400, 512)),
    'chelsea': ('cat', (1, 0, 390, 299)),
    'coffee': ('bottle', (80, 15, 485, 385)),
    'rocket': ('aeroplane', (305, 125, 355, 415)),
    'stereo_motorcycle': ('motorbike', (115, 70, 705, 460)),
}


@pytest.fixture(scope='session')
def photographs(tmp_path_factory) -> Path:
    """Ten photographs in VOC's layout: eight to train on, two to validate.

    Five photographs of scikit-image, freely licensed, and their mirror
    images. The masks are ellipses in the boxes: good for running a pipeline,
    not for judging one.
    """
    root = tmp_path_factory.mktemp('data') / 'photographs'
    splits = root / 'ImageSets/Segmentation'
    for folder in ('JPEGImages', 'Annotations', 'SegmentationClass'):
        (root / folder).mkdir(parents=True)
    splits.mkdir(parents=True)
    names = []
    for name, (class_name, box) in OBJECTS.items():
        image = getattr(skimage.data, name)()
        image = image[0] if isinstance(image, tuple) else image
        scale = 256 / max(image.shape)
        image = cv2.resize(image[..., ::-1], None, fx=scale, fy=scale)
        height, width = image.shape[:2]
        x1, y1, x2, y2 = (round(v * scale) for v in box)
        for suffix in ('', '_mirrored'):
            if suffix:
                image = np.ascontiguousarray(image[:, ::-1])
                x1, x2 = width - x2, width - x1
            names.append(f'{name}{suffix}')
            path = root / f'JPEGImages/{names[-1]}.jpg'
            cv2.imwrite(str(path), image)
            label = VOC_CLASSES.index(class_name) + 1
            boxes = BoxAnnotations(
                names[-1],
                str(path),
                (height, width),
                [(x1, y1, x2, y2)],
                [label],
            )
            write_voc_xml(root / f'Annotations/{names[-1]}.xml', boxes)
            mask = np.zeros((height, width), np.uint8)
            middle = (x1 + x2) // 2, (y1 + y2) // 2
            axes = (x2 - x1) // 2 - 1, (y2 - y1) // 2 - 1
            cv2.ellipse(mask, middle, axes, 0, 0, 360, label, -1)
            write_label_png(root / f'SegmentationClass/{names[-1]}.png', mask)
    (splits / 'train.txt').write_text('\n'.join(names[:8]))
    (splits / 'val.txt').write_text('\n'.join(names[8:]))
    return root


@pytest.fixture
def few_photographs(photographs, tmp_path) -> Path:
    """A copy of the photographs that a test may change."""
    return shutil.copytree(photographs, tmp_path / 'data/photographs')


USER_FORMAT = '''
from box2seg_mmseg.boxes import BOX_SOURCES, BoxAnnotations, BoxSource, Option

@BOX_SOURCES.register_module()
class WholeImage(BoxSource):
    """A box that covers all but a border of each image."""

    format = 'whole'
    options = (Option('border', int, 'in pixels'),)

    def __init__(self, data_root, classes=None, image_dir=None, border=1):
        super().__init__(data_root, classes, image_dir)
        self.border = border

    def read(self, image_ids, report=None):
        for image_id in image_ids:
            path = str(self.image_dir / f'{image_id}.jpg')
            low, high = self.border, 64 - self.border
            if report is not None:
                report.num_read += 1
                report.num_used += 1
            yield BoxAnnotations(
                image_id, path, (64, 64), [[low, low, high, high]], [2]
            )
'''


@pytest.fixture
def user_format(tmp_path) -> Path:
    """A module of a user that registers a box source, ``my_boxes.py``."""
    path = tmp_path / 'my_boxes.py'
    path.write_text(USER_FORMAT)
    return path


@pytest.fixture(scope='session')
def scenes(tmp_path_factory) -> Path:
    """Rendered scenes: 16 to train on, 4 to validate on."""
    from rendered_scenes import write_scenes

    path = tmp_path_factory.mktemp('scenes')
    write_scenes(path, num_train=16, num_val=4, side=64, seed=3)
    return path


def _tool_path(name: str) -> Path:
    (path,) = (ROOT / 'tools').rglob(name)
    return path


@pytest.fixture(scope='session')
def run_tool() -> Callable[..., subprocess.CompletedProcess]:
    """Runs a tool, by the name of its file, in a process of its own."""

    def run(name: str, *arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, _tool_path(name), *arguments]
        return subprocess.run(
            [str(part) for part in command], capture_output=True, text=True
        )

    return run


@pytest.fixture
def run_tool_here(monkeypatch, capsys) -> Callable[..., SimpleNamespace]:
    """Runs a tool in this process, which has imported what tools import."""

    def run(name: str, *arguments: object) -> SimpleNamespace:
        path = _tool_path(name)
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        monkeypatch.syspath_prepend(str(path.parent))
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(path), run_name='__main__')
        printed = capsys.readouterr()
        return SimpleNamespace(
            returncode=exit_.value.code,
            stdout=printed.out,
            stderr=printed.err,
        )

    return run


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


@pytest.fixture
def untrained_round(tmp_path) -> Callable[[Sequence[str]], Path]:
    """Makes a round of two networks with random weights, as train_rounds."""
    from mmengine.config import Config
    from mmseg.registry import MODELS

    (config,) = (ROOT / 'configs/scenes').glob('grabcut_*.py')

    def make(ids: Sequence[str]) -> Path:
        folder = tmp_path / 'rounds/round1'
        (folder.parent / 'folds').mkdir(parents=True)
        for k in range(2):
            fold = folder / f'fold{k}'
            fold.mkdir(parents=True)
            torch.manual_seed(k)
            cfg = Config.fromfile(config)
            model = MODELS.build(cfg.model)
            for name, value in model.state_dict().items():
                if name.endswith('conv_seg.weight'):
                    value.normal_()
            weights = dict(state_dict=model.state_dict())
            torch.save(weights, fold / 'iter_2.pth')
            cfg.dump(fold / 'config.py')
            (fold / 'finished.json').write_text('{"checkpoint": "iter_2.pth"}')
            split = folder.parent / f'folds/label{k}.txt'
            split.write_text('\n'.join(ids[k::2]))
        return folder

    return make
