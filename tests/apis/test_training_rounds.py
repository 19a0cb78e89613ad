import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest
from mmengine.config import Config
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.apis.training_rounds import TrainingRounds
from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.command_line import run
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.pseudo_labels import (
    StoreError,
    build_labeler,
    generate_pseudo_labels,
)

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/scenes'
(CONFIG,) = CONFIGS.glob('box2seg_*.py')
(FULL,) = CONFIGS.parent.glob('miniature/full_*.py')
DATASET = 'train_dataloader.dataset'


def test_options_are_read_as_the_stock_train_py_reads_them(tmp_path):
    for text, want in (('True', True), ('False', False)):
        options = [f'{DATASET}.data_root=voc', f'{DATASET}.skip_bad={text}']
        rounds = TrainingRounds(
            CONFIG, 'labels', tmp_path, cfg_options=options
        )
        dataset = rounds._dataset(CONFIG)
        assert dataset.skip_bad is want
        assert dataset.data_root == 'voc'


def test_wrong_arguments_are_refused(tmp_path):
    for wrong in (dict(num_folds=0), dict(num_rounds=0)):
        with pytest.raises(UsageError, match=r'must be >= 1\. Got: 0'):
            TrainingRounds(CONFIG, 'labels', tmp_path, **wrong)


@pytest.fixture
def prepare(scenes, tmp_path):
    """Makes rounds over all scenes, in a folder whose name has a space."""
    split = scenes / 'ImageSets/Segmentation/train.txt'
    labels = tmp_path / 'old labels'
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(split.read_text().split()),
        build_labeler(dict(type='BoxFill')),
        labels,
    )
    options = f'{DATASET}.data_root={scenes}', f'{DATASET}.ann_file={split}'

    def rounds(**arguments):
        given = dict(cfg_options=options, refine=dict(crf=False)) | arguments
        return TrainingRounds(CONFIG, labels, tmp_path / 'my, rounds', **given)

    return rounds


@pytest.mark.parametrize(
    ('arguments', 'error', 'text'),
    [
        (dict(refine=dict(gamma=2)), ValueError, 'gamma must be in'),
        (dict(refine=dict(crf=False, device='cdua')), UsageError, 'cdua'),
        (dict(num_folds=21), UsageError, '21 folds need as many images'),
        (dict(final_config='typo.py'), UsageError, r'typo\.py: no such file'),
        (dict(final_config=FULL), UsageError, 'must be a BoxSupervisedData'),
    ],
)
def test_wrong_arguments_are_found_before_the_first_training(
    prepare, arguments, error, text
):
    rounds = prepare(**arguments)
    with pytest.raises(error, match=text):
        rounds.run()
    assert not rounds.work_dir.exists()


def test_a_missing_crf_is_found_before_the_first_training(
    prepare, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    rounds = prepare(refine={})
    with pytest.raises(ImportError, match='pydensecrf'):
        rounds.run()
    assert not rounds.work_dir.exists()


def test_a_missing_label_is_found_before_the_first_training(prepare):
    rounds = prepare()
    (rounds.labels / 'train_0003.png').unlink()
    with pytest.raises(StoreError, match=r'train_0003\.png: missing.*first'):
        rounds.run()
    assert not rounds.work_dir.exists()


def test_a_config_without_test_data_is_refused(prepare, tmp_path):
    config = tmp_path / 'no_test.py'
    config.write_text(f"_base_ = '{CONFIG}'\ntest_dataloader = None\n")
    rounds = prepare()
    rounds.config = config
    with pytest.raises(UsageError, match=r'no_test\.py: set test_dataload'):
        rounds.run()


def test_other_boxes_or_labels_are_not_taken_for_the_same(prepare, scenes):
    failing = dict(train_command=[sys.executable, '-c', 'raise SystemExit(1)'])
    rounds = prepare(**failing)
    for _ in range(2):  # the same data is the same
        with pytest.raises(RuntimeError, match='the training failed'):
            rounds.run()
    label = rounds.labels / 'train_0003.png'
    one_image = VOCXML(scenes, SCENE_CLASSES).read(['train_0003'])
    inner = build_labeler(dict(type='BoxFill', inner=0.5))
    generate_pseudo_labels(one_image, inner, label.parent / 'inner')
    for path in (rounds.labels / 'manifest.json', label):
        path.unlink()
    (label.parent / 'inner/train_0003.png').rename(label)
    with pytest.raises(UsageError, match=r'labels was .*old labels.* and is'):
        rounds.run()


# Stands for the stock train.py: keeps the config, waits to be ended, and
# needs some time for that.
WAIT = """
import os, shutil, signal, sys, time
config, number, folder = sys.argv[2], sys.argv[3], sys.argv[5]
os.makedirs(folder)
shutil.copy(config, folder)
def end(*_):
    time.sleep(0.5)
    open(folder + '/ended', 'w')
    sys.exit()
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.kill(os.getppid(), int(number))
time.sleep(60)
open(folder + '/survived', 'w')
"""


@pytest.fixture
def heeds_ctrl_c():
    """Lets SIGINT through, which a job in a shell's background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('heeds_ctrl_c')
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_training_behind(
    prepare, monkeypatch, number
):
    monkeypatch.setattr('sys.argv', ['tool'])
    rounds = prepare(
        train_command=[sys.executable, '-c', WAIT],
        train_arguments=[str(int(number))],
    )
    with pytest.raises(SystemExit) as exit_:
        run(lambda _: rounds.run(), ArgumentParser())
    assert exit_.value.code == 128 + number
    # Paths with a space and a comma came through.
    (config,) = (rounds.work_dir / 'round1/fold0').glob('*.py')
    dataset = Config.fromfile(config).train_dataloader.dataset
    assert dataset.ann_file == str(rounds.work_dir / 'folds/train0.txt')
    assert dataset.pseudo_label_dir == str(rounds.labels)
    assert not (config.parent / 'survived').exists()
    assert (config.parent / 'ended').exists()
    assert not (rounds.work_dir / '.lock').exists()
