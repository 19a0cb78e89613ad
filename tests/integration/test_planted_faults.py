"""500 faults of 13 kinds in a copy of voc-mini, and none in the original."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools/check_dataset.py'
NUM_FAULTS = 500


def _check(root, *options):
    splits = root / 'ImageSets/Segmentation'
    command = [sys.executable, TOOL, root, '--split', splits / 'train.txt']
    command += ['--other-splits', splits / 'val.txt']
    command += ['--labels', root / 'SegmentationClass']
    done = subprocess.run(
        [str(part) for part in (*command, *options)],
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return done


class _Copy:
    """A data set to harm, an image at a time."""

    def __init__(self, root):
        self.root = root
        self.splits = root / 'ImageSets/Segmentation'
        self.val = (self.splits / 'val.txt').read_text().split()

    def image(self, name):
        return self.root / f'JPEGImages/{name}.jpg'

    def _edit_xml(self, name, edit):
        path = self.root / f'Annotations/{name}.xml'
        path.write_text(edit(path.read_text()))

    def _edit_tag(self, name, tag, value):
        def edit(text):
            before, _, rest = text.partition(f'<{tag}>')
            return f'{before}<{tag}>{value}{rest[rest.index("<") :]}'

        self._edit_xml(name, edit)

    def image_missing(self, name):
        self.image(name).unlink()

    def image_truncated(self, name):
        data = self.image(name).read_bytes()
        self.image(name).write_bytes(data[: len(data) // 2])

    def image_of_another_size(self, name):
        image = Image.open(self.image(name))
        image.resize((image.width // 2, image.height)).save(self.image(name))

    def annotation_missing(self, name):
        (self.root / f'Annotations/{name}.xml').unlink()

    def annotation_malformed(self, name):
        self._edit_xml(name, lambda text: text[: len(text) // 2])

    def class_unknown(self, name):
        self._edit_tag(name, 'name', 'unicorn')

    def box_empty(self, name):
        self._edit_tag(name, 'xmax', 0)

    def box_reaches_outside(self, name):
        self._edit_tag(name, 'xmax', 5000)

    def box_twice(self, name):
        def edit(text):
            start, end = text.index('<object>'), text.index('</object>') + 9
            return text[:end] + text[start:end] + text[end:]

        self._edit_xml(name, edit)

    def named_twice(self, name):
        with (self.splits / 'train.txt').open('a') as file:
            file.write(f'\n{name}')

    def picture_of_val(self, name):
        """The same picture, saved without loss under the train name."""
        number = sum(map(ord, name)) % len(self.val)
        while f'used {number}' in self.__dict__:
            number = (number + 1) % len(self.val)
        self.__dict__[f'used {number}'] = True
        source = self.val[number]
        for folder, suffix in (
            ('JPEGImages', 'jpg'),
            ('Annotations', 'xml'),
            ('SegmentationClass', 'png'),
        ):
            shutil.copy(
                self.root / folder / f'{source}.{suffix}',
                self.root / folder / f'{name}.{suffix}',
            )

    def label_without_box(self, name):
        path = self.root / f'SegmentationClass/{name}.png'
        label = np.array(Image.open(path))
        absent = next(c for c in range(1, 21) if not (label == c).any())
        label[: label.shape[0] // 4] = absent
        Image.fromarray(label).save(path)

    def label_unknown(self, name):
        path = self.root / f'SegmentationClass/{name}.png'
        label = np.array(Image.open(path))
        label[0, 0] = 99
        Image.fromarray(label).save(path)


KINDS = (
    'image_missing',
    'image_truncated',
    'image_of_another_size',
    'annotation_missing',
    'annotation_malformed',
    'class_unknown',
    'box_empty',
    'box_reaches_outside',
    'box_twice',
    'named_twice',
    'picture_of_val',
    'label_unknown',
    'label_without_box',
)


@pytest.fixture
def copy(data_dir, tmp_path):
    root = tmp_path / 'voc-mini'
    shutil.copytree(data_dir / 'voc-mini', root)
    return _Copy(root)


def test_every_planted_fault_is_found(copy, tmp_path):
    ids = (copy.splits / 'train.txt').read_text().split()
    rng = np.random.default_rng(0)
    planted = {}
    for i, name in enumerate(rng.permutation(ids)[:NUM_FAULTS]):
        planted[str(name)] = KINDS[i % len(KINDS)]
        getattr(copy, planted[str(name)])(str(name))
    out = tmp_path / 'report.json'
    done = _check(copy.root, '--json', out)
    assert done.returncode == 1
    texts = [p['text'] for p in json.loads(out.read_text())['problems']]
    found = {name for name in planted if any(name in text for text in texts)}
    missed = Counter(planted[name] for name in set(planted) - found)
    assert not missed
    # Nothing is said of an image that was left as it was.
    whole = set(ids) - set(planted)
    assert not [t for t in texts if any(name in t for name in whole)]
    # Problems first, the table after them.
    lines = done.stdout.splitlines()
    assert lines.index('') == len(texts)


def test_clean_data_has_none(data_dir):
    done = _check(data_dir / 'voc-mini')
    assert (done.returncode, done.stderr.count('Error')) == (0, 0), done.stdout
    assert 'all' in done.stdout


def test_what_can_not_run_is_wrong_use(tmp_path):
    done = subprocess.run(
        [sys.executable, TOOL, tmp_path, '--split', tmp_path / 'none.txt'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert 'none.txt: no such file' in done.stderr
