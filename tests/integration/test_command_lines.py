import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def _run(tool, *arguments):
    return subprocess.run(
        [sys.executable, TOOLS / tool, *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize('tool', sorted(p.name for p in TOOLS.glob('*.py')))
def test_help_and_wrong_use(tool):
    done = _run(tool, '--help')
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 8
    done = _run(tool, '--no-such-option')
    assert done.returncode == 2 and 'error:' in done.stderr


@pytest.fixture
def classes(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('disk\nring\nstar\nlollipop\nframe\n')
    return path


def test_labels_are_made_and_judged(scenes, classes, tmp_path):
    split = scenes / 'ImageSets/Segmentation/val.txt'
    common = ('--split', split, '--classes', classes)
    out = tmp_path / 'labels'
    done = _run(
        'generate_pseudo_labels.py', scenes, *common, '--out', out,
        *('--workers', 1),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '4 images' in done.stdout and '100%' in done.stderr
    report = tmp_path / 'report.json'
    done = _run(
        'evaluate_pseudo_labels.py', out, scenes / 'SegmentationClass',
        *common, '--json', report,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads(report.read_text())
    assert f'{content["mIoU"]:.1f}' in done.stdout
    assert set(content['IoU']) == {
        'background', 'disk', 'ring', 'star', 'lollipop', 'frame',
    }  # fmt: skip


def test_bad_data_is_one_line_and_a_trace_with_debug(scenes, tmp_path):
    split = scenes / 'ImageSets/Segmentation/val.txt'
    command = ('generate_pseudo_labels.py', scenes, '--split', split)
    command += ('--out', tmp_path / 'labels')
    done = _run(*command)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert 'error:' in last and 'val_0000.xml' in last
    assert 'unknown class' in last and 'Traceback' not in done.stderr
    assert 'Traceback' in _run(*command, '--debug').stderr


def test_a_split_must_name_images_once(scenes, tmp_path):
    for text, message in (('\n', 'names no image'), ('a\na\n', 'names a mo')):
        split = tmp_path / 'split.txt'
        split.write_text(text)
        done = _run(
            'generate_pseudo_labels.py', scenes, '--split', split,
            *('--out', tmp_path / 'labels'),
        )  # fmt: skip
        assert done.returncode == 1 and message in done.stderr
