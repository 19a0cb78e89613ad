import runpy
import sys
from pathlib import Path

import pytest

from box2seg_mmseg.id_lists import sample_split

TOOL = (
    Path(__file__).resolve().parents[2]
    / 'tools/dataset_converters/sample_split.py'
)


def test_shares_are_nested_and_in_order():
    ids = [f'{i:03}' for i in range(100)]
    eighth, quarter = sample_split(ids, 1 / 8), sample_split(ids, 1 / 4)
    assert (len(eighth), len(quarter)) == (12, 25)
    assert set(eighth) < set(quarter) < set(ids)
    assert eighth == sorted(eighth)
    assert sample_split(ids, 1 / 8, seed=1) != eighth
    assert sample_split(ids, 1) == ids
    assert len(sample_split(ids, 0)) == 1


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Runs the tool on four images; its exit status and its output file."""
    split, out = tmp_path / 'train.txt', tmp_path / 'few.txt'
    split.write_text('a\nb\nc\nd\n')

    def draw(share):
        command = [TOOL, split, '--share', share, '--out', out]
        monkeypatch.setattr(sys, 'argv', [str(part) for part in command])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(TOOL), run_name='__main__')
        return exit_.value.code, out

    return draw


def test_a_write_that_fails_leaves_the_old_split(draw, monkeypatch):
    status, out = draw(1)
    assert (status, out.read_text()) == (0, 'a\nb\nc\nd\n')

    def write_half(path, text):
        with path.open('w') as file:
            file.write(text[:1])
        raise OSError('disk full')

    monkeypatch.setattr(Path, 'write_text', write_half)
    status, out = draw(0.5)
    assert (status, out.read_text()) == (1, 'a\nb\nc\nd\n')
    names = sorted(path.name for path in out.parent.iterdir())
    assert names == ['few.txt', 'train.txt']
