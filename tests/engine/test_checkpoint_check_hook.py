"""With mmengine's own runner."""

import os
import pickle
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import MODELS
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg import compatibility
from box2seg_mmseg.engine.hooks import CheckpointCheckHook
from box2seg_mmseg.installed import find_config

CLASSES = ('background', *SCENE_CLASSES)
OTHER = ('background', 'ring', 'disk', *SCENE_CLASSES[2:])
CONFIG = Config.fromfile(
    find_config('scenes/grabcut_upernet_r18_1xb8-600_scenes-96x96.py')
)
MODEL = CONFIG.model


@pytest.fixture
def runner(scenes, tmp_path):
    """Builds a runner; changes are those of its config."""

    def build(classes=CLASSES, **changes):
        loader = deepcopy(CONFIG.test_dataloader)
        loader.dataset.data_root = str(scenes)
        loader.dataset.metainfo = dict(classes=classes)
        cfg = dict(
            model=MODEL,
            default_scope='mmseg',
            work_dir=str(tmp_path / 'work'),
            custom_hooks=[dict(type='CheckpointCheckHook')],
            experiment_name=f'run{len(list(tmp_path.iterdir()))}',
        )
        if 'optim_wrapper' in changes:
            cfg['train_dataloader'] = loader | dict(batch_size=2)
            cfg['train_cfg'] = dict(by_epoch=False, max_iters=2)
        else:
            cfg['test_dataloader'] = loader
            cfg['test_cfg'] = dict()
            cfg['test_evaluator'] = dict(type='IoUMetric')
        return Runner.from_cfg(Config(cfg | changes))

    return build


@pytest.fixture
def save(tmp_path):
    """Writes a checkpoint; changes are those of its weights."""

    def write(classes=CLASSES, **changes):
        weights = MODELS.build(MODEL).state_dict() | changes
        path = tmp_path / 'a.pth'
        torch.save(
            dict(
                state_dict={k: v for k, v in weights.items() if v is not None},
                meta=dict(dataset_meta=dict(classes=classes)),
            ),
            path,
        )
        return str(path)

    return write


BIAS = 'decode_head.conv_seg.bias'
WRONG = [
    ({BIAS: None}, r'a\.pth: not a checkpoint of this model.*has no decode'),
    ({'x': torch.ones(1)}, r'Got: the model has no x$'),
    ({BIAS: torch.ones(7)}, 'Got: size mismatch'),
    (dict(classes=OTHER), "class 1 is 'ring' in the check"),
]


@pytest.mark.parametrize(('changes', 'message'), WRONG)
def test_a_test_refuses_other_checkpoints(runner, save, changes, message):
    with pytest.raises(ValueError, match=message):
        runner(load_from=save(**changes)).test()


def test_a_test_with_the_right_checkpoint_runs(runner, save):
    assert 'mIoU' in runner(load_from=save()).test()


def test_test_time_augmentation_is_checked_too(runner, save):
    tta = dict(type='SegTTAModel', module=MODEL)
    changes = dict(load_from=save(), model=tta)
    one = runner(**changes)
    one._test_loop = None  # only the loading is of interest
    one.load_or_resume()
    with pytest.raises(ValueError, match='has no decode'):
        runner(load_from=save(**{BIAS: None}), model=tta).load_or_resume()


def test_training_may_start_from_another_model(runner, save):
    """Fine-tuning drops the head; resuming does not."""
    training = dict(
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        load_from=save(classes=OTHER, **{BIAS: None}),
    )
    runner(**training).train()
    with pytest.raises(ValueError, match='has no decode'):
        runner(**training, resume=True).train()


@pytest.mark.parametrize('named', ['', 'iter_3.pth', 'iter_9.pth'])
def test_a_killed_training_resumes_from_the_last_whole_one(tmp_path, named):
    """A kill can leave an empty, a truncated or a removed file."""
    for i in (1, 2, 3):
        path = tmp_path / f'iter_{i}.pth'
        torch.save(dict(number=torch.tensor(i)), path)
        os.utime(path, (i, i))
    path.write_bytes(path.read_bytes()[:-30])
    last = tmp_path / 'last_checkpoint'
    last.write_text(named and str(tmp_path / named))
    warnings = []
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        logger=SimpleNamespace(warning=warnings.append),
        _resume=True,
        _load_from=None,
    )
    CheckpointCheckHook().before_run(runner)
    assert runner._load_from == str(tmp_path / 'iter_2.pth')
    assert len(warnings) == 1 and str(last) in warnings[0]
    for i in (1, 2):
        (tmp_path / f'iter_{i}.pth').unlink()
    runner._load_from = None
    with pytest.raises(ValueError, match=r'last_checkpoint: .*delete it and'):
        CheckpointCheckHook().before_run(runner)


@pytest.mark.parametrize('resume', [True, False])
def test_a_whole_checkpoint_is_left_to_mmengine(tmp_path, resume):
    path = tmp_path / 'iter_1.pth'
    torch.save({}, path)
    runner = SimpleNamespace(
        work_dir=str(tmp_path), _resume=resume, _load_from=None
    )
    CheckpointCheckHook().before_run(runner)  # no last_checkpoint
    (tmp_path / 'last_checkpoint').write_text(str(path) if resume else '')
    CheckpointCheckHook().before_run(runner)
    assert runner._load_from is None


@pytest.fixture
def without_variable(monkeypatch):
    monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', raising=False)


def test_a_refused_checkpoint_is_explained_in_one_line(
    runner, without_variable, tmp_path
):
    """As mmengine itself wrote it: tested, resumed and started from."""
    saving = dict(type='CheckpointHook', by_epoch=False, interval=2)
    training = dict(
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=saving),
    )
    runner(**training).train()
    path = str(tmp_path / 'work/iter_2.pth')
    uses = [
        runner(load_from=path).test,
        runner(**training, load_from=path).train,
        runner(**training, load_from=path, resume=True).train,
        runner(**training, resume=True).train,  # the newest one
    ]
    try:
        compatibility.load_from_local(path, map_location='cpu')
    except pickle.UnpicklingError:
        for use in uses:
            with pytest.raises(RuntimeError) as error:
                use()
            message = str(error.value)
            assert message.startswith(f'{path}: mmengine 0.10.7 cannot load')
            assert 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1' in message
            assert message.endswith(' was not an allowed global by default.')
            assert '\n' not in message
    else:  # mmengine asks for all objects, or torch is older than 2.6
        for use in uses:
            use()


def test_plain_weights_load_without_the_variable(
    runner, save, without_variable
):
    assert 'mIoU' in runner(load_from=save()).test()
