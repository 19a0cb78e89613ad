import json
from pathlib import Path

import pytest
from demo_run import _table, run_demo

from box2seg_mmseg.errors import UsageError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def test_full_supervision_needs_data(tmp_path):
    with pytest.raises(ValueError, match='full supervision needs data'):
        run_demo(CONFIGS, tmp_path / 'demo', methods=['box', 'full'])
    assert not (tmp_path / 'demo').exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(ValueError, match='exists and is not from a demo'):
        run_demo(CONFIGS, tmp_path)
    assert (tmp_path / 'thesis.tex').exists()


def test_only_the_same_demo_is_resumed(tmp_path):
    stamp = dict(data_root=None, methods=['box'], seeds=[0, 1])
    (tmp_path / 'demo.json').write_text(json.dumps(stamp))
    with pytest.raises(ValueError, match='made with other arguments'):
        run_demo(CONFIGS, tmp_path, seeds=[1], methods=['box'], resume=True)


def test_a_kill_while_an_old_demo_is_deleted_does_no_harm(tmp_path):
    work_dir = tmp_path / 'demo'
    stamp = dict(data_root=str(tmp_path), methods=['box'], seeds=[0, 1])
    # The old demo was moved; the new one's stamp was being written.
    (tmp_path / '.demo.trash/box-seed0').mkdir(parents=True)
    work_dir.mkdir()
    (work_dir / 'demo.json.part').write_text('{"data')
    with pytest.raises(UsageError, match=r'train\.txt'):
        run_demo(CONFIGS, work_dir, tmp_path, methods=['box'], resume=True)
    assert json.loads((work_dir / 'demo.json').read_text()) == stamp
    # Once more without --resume: nothing of the old one is left.
    (work_dir / 'box-seed0').mkdir()
    with pytest.raises(UsageError, match=r'train\.txt'):
        run_demo(CONFIGS, work_dir, tmp_path, methods=['box'])
    assert [p.name for p in work_dir.iterdir()] == ['demo.json']
    assert not (tmp_path / '.demo.trash').exists()


def test_another_demo_is_not_deleted(tmp_path):
    stamp = dict(data_root=None, methods=['box'], seeds=[0, 1])
    (tmp_path / 'demo.json').write_text(json.dumps(stamp))
    with pytest.raises(ValueError, match='made with other arguments'):
        run_demo(CONFIGS, tmp_path, seeds=[1], methods=['box'])
    assert (tmp_path / 'demo.json').exists()


def test_data_without_splits_is_named(tmp_path):
    (tmp_path / 'data').mkdir()
    with pytest.raises(UsageError, match=r'Segmentation/train\.txt'):
        run_demo(CONFIGS, tmp_path / 'demo', data_root=tmp_path / 'data')


def test_the_table_has_means_and_spreads(tmp_path):
    splits = dict(train=['a'] * 3, val=['b'])
    mious = dict(box=[50.0, 52.0], grabcut=[60.25, 60.0])
    text = _table(mious, [0, 1], tmp_path / 'scenes', splits)
    assert 'on scenes: 3 train -> 1 val images' in text
    assert '| method | mean | spread | seed 0 | seed 1 |' in text
    assert '| Box | 51.0 | 2.0 | 50.0 | 52.0 |' in text
    one = _table(dict(box=[50.0]), [0], tmp_path / 'scenes', splits)
    assert '| Box | 50.0 | - | 50.0 |' in one
