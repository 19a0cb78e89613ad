import sys
from pathlib import Path

import pytest

from box2seg_mmseg.apis.training_rounds import TrainingRounds
from box2seg_mmseg.errors import UsageError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/scenes'
(CONFIG,) = CONFIGS.glob('box2seg_*.py')
DATASET = 'train_dataloader.dataset'


def test_options_are_read_as_the_stock_train_py_reads_them(tmp_path):
    for text, want in (('True', True), ('False', False)):
        options = [f'{DATASET}.data_root=voc', f'{DATASET}.skip_bad={text}']
        rounds = TrainingRounds(
            CONFIG, 'labels', tmp_path, cfg_options=options
        )
        dataset = rounds._dataset()
        assert dataset.skip_bad is want
        assert dataset.data_root == 'voc'


def test_wrong_arguments_are_refused(tmp_path):
    for wrong in (dict(num_folds=0), dict(num_rounds=0)):
        with pytest.raises(UsageError, match=r'must be >= 1\. Got: 0'):
            TrainingRounds(CONFIG, 'labels', tmp_path, **wrong)


def test_a_missing_crf_is_found_before_the_first_training(
    scenes, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    options = [
        f'{DATASET}.data_root={scenes}',
        f'{DATASET}.ann_file={scenes}/ImageSets/Segmentation/train.txt',
    ]
    rounds = TrainingRounds(
        CONFIG, 'labels', tmp_path / 'rounds', cfg_options=options
    )
    with pytest.raises(ImportError, match='pydensecrf'):
        rounds.run()
    assert not (tmp_path / 'rounds').exists()
