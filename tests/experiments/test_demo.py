import json
from pathlib import Path

import pytest

from box2seg_mmseg.experiments import run_demo

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def test_full_supervision_needs_data(tmp_path):
    with pytest.raises(ValueError, match='full supervision needs data'):
        run_demo(CONFIGS, tmp_path / 'demo', methods=['box', 'full'])
    assert not (tmp_path / 'demo').exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(ValueError, match='exists and is not of a demo'):
        run_demo(CONFIGS, tmp_path)
    assert (tmp_path / 'thesis.tex').exists()


def test_only_the_same_demo_is_resumed(tmp_path):
    stamp = dict(data_root=None, methods=['box'], seeds=[0])
    (tmp_path / 'demo.json').write_text(json.dumps(stamp))
    with pytest.raises(ValueError, match='made with other arguments'):
        run_demo(CONFIGS, tmp_path, seeds=[1], methods=['box'], resume=True)


def test_data_without_splits_is_named(tmp_path):
    (tmp_path / 'data').mkdir()
    with pytest.raises(FileNotFoundError, match=r'Segmentation/train\.txt'):
        run_demo(CONFIGS, tmp_path / 'demo', data_root=tmp_path / 'data')
