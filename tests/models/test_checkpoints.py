from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import HistoryBuffer
from torch import nn

from box2seg_mmseg.models.checkpoints import (
    check_classes,
    dataset_meta_of,
    drop_initial_weights,
    load_checkpoint_file,
    load_weights,
    save_checkpoint_file,
)

META = dict(classes=('background', 'cat'), palette=[[0, 0, 0], [1, 2, 3]])


def _weights():
    return OrderedDict(
        a=torch.arange(6.0).reshape(2, 3).t(),
        b=nn.Parameter(torch.ones(2, dtype=torch.bfloat16)),
        c=torch.tensor(7),
    )


def _content(**more):
    """As mmengine's CheckpointHook writes it."""
    buffer = HistoryBuffer()
    buffer.update(0.5)
    meta = dict(dataset_meta=META, time=np.float64(1), seed=1)
    return dict(
        meta=meta,
        state_dict=_weights(),
        message_hub=dict(log_scalars=dict(loss=buffer)),
        random_state=np.random.get_state(),
        **more,
    )


def test_weights_and_classes_are_read(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(_content(), path)
    got = load_checkpoint_file(path)
    want = _weights()
    assert got.state_dict.keys() == want.keys()
    for name, value in want.items():
        assert got.state_dict[name].dtype == value.dtype
        assert torch.equal(got.state_dict[name], value)
    assert got.dataset_meta == META
    for content in (_weights(), dict(state_dict=_weights())):
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            got = load_checkpoint_file(path)
            assert torch.equal(got.state_dict['a'], want['a'])
            assert got.dataset_meta == {}


def _is_model(path, trust):
    model = _model()
    weights = load_checkpoint_file(path, trust).state_dict
    load_weights(_model(), weights, path)
    return all(
        torch.equal(weights[k], v) for k, v in model.state_dict().items()
    )


def _model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_weights_that_are_objects_need_trust(tmp_path):
    path = tmp_path / 'a.pth'
    arrays = {k: v.numpy() for k, v in _model().state_dict().items()}
    for content in (
        _model(),
        dict(state_dict=_model()),
        arrays,
        dict(_content(), state_dict=arrays),
    ):
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            with pytest.raises(
                ValueError, match=r'a\.pth: .*run code.*--trust-checkpoint'
            ):
                _is_model(path, trust=False)
            assert _is_model(path, trust=True)
    torch.jit.save(torch.jit.script(_model()), path)
    with pytest.raises(ValueError, match=r'a\.pth: .*run code.*--trust-'):
        _is_model(path, trust=False)
    assert _is_model(path, trust=True)
    # Other objects are no weights even if they are trusted.
    torch.save(dict(state_dict=dict(a=np.float64(1))), path)
    with pytest.raises(ValueError, match=r'a is a float64 instead of a tens'):
        load_checkpoint_file(path, trust=True)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        load_checkpoint_file(tmp_path / 'absent.pth')
    path = tmp_path / 'a.pth'
    save_checkpoint_file(path, _content())
    whole = path.read_bytes()
    for data in (b'', b'garbage', whole[: len(whole) // 2]):
        path.write_bytes(data)
        for trust in (False, True):
            with pytest.raises(ValueError, match=r'a\.pth: not a checkpoint'):
                load_checkpoint_file(path, trust)


def test_weights_must_fit(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    weights = {f'module.{k}': v for k, v in model.state_dict().items()}
    load_weights(model, weights, 'a.pth')
    for change, message in (
        ({'module.0.bias': None}, r'Got: it has no 0\.bias$'),
        ({'2.bias': torch.ones(3)}, r'Got: the model has no 2\.bias$'),
        ({'module.0.bias': torch.ones(4)}, r'size mismatch for 0\.bias'),
        (
            {'module.0.bias': None, 'x': torch.ones(3)},
            r'Got: it has no 0\.bias, and 1 more$',
        ),
    ):
        changed = {
            k: v for k, v in (weights | change).items() if v is not None
        }
        with pytest.raises(ValueError, match=message) as caught:
            load_weights(model, changed, 'a.pth')
        assert str(caught.value).startswith('a.pth: not a checkpoint of this')
        assert '\n' not in str(caught.value)


def _cfg(train, test):
    def loader(classes):
        metainfo = dict(classes=classes)
        return dict(dataset=dict(type='BaseSegDataset', metainfo=metainfo))

    nested = loader(train)
    for kind in ('RepeatDataset', 'ConcatDataset'):
        inner = nested['dataset']
        key, inner = (
            ('dataset', inner)
            if kind == 'RepeatDataset'
            else ('datasets', [inner])
        )
        nested = dict(dataset={'type': kind, key: inner})
    return Config(dict(train_dataloader=nested, test_dataloader=loader(test)))


def test_classes_must_be_those_of_training_or_test():
    two, swapped = ('a', 'b', 'c'), ('a', 'c', 'b')
    for cfg in (_cfg(two, ('a', 'x')), _cfg(swapped, two), Config()):
        check_classes(dict(classes=list(two)), cfg, 'm.pth')
        check_classes({}, cfg, 'm.pth')
    with pytest.raises(
        ValueError,
        match=r"m\.pth: .*Got: class 1 is 'c' in the checkpoint, 'b' in the c",
    ):
        check_classes(dict(classes=swapped), _cfg(two, two), 'm.pth')
    with pytest.raises(ValueError, match=r'Got: 3 classes .*, 2 in the conf'):
        check_classes(dict(classes=two), _cfg(('a', 'b'), ('a', 'b')), 'm.pth')


def test_classes_of_a_registered_dataset_are_known():
    cfg = Config(
        dict(test_dataloader=dict(dataset=dict(type='PascalVOCDataset')))
    )
    with pytest.raises(ValueError, match=r'2 classes in the.*, 21 in'):
        check_classes(META, cfg, 'm.pth')


def test_a_checkpoint_is_written_whole_or_not(tmp_path, monkeypatch):
    path = tmp_path / 'new/a.pth'
    save_checkpoint_file(path, _content())
    before = path.read_bytes()
    monkeypatch.setattr(
        'box2seg_mmseg.files.os.getpid', lambda: 'full', raising=True
    )
    path.with_name('.a.pth.full.part').symlink_to('/dev/full')
    with pytest.raises(OSError, match='No space left on device') as caught:
        save_checkpoint_file(path, _content())
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before


def test_a_dataset_may_take_its_classes_from_the_boxes():
    """Then the config has no classes to compare with."""
    dataset = dict(type='BoxSupervisedDataset')
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    assert dataset_meta_of(cfg, 'train_dataloader') == {}
    check_classes(dict(classes=('background', 'a', 'b')), cfg, 'm.pth')


def test_a_backbone_need_not_take_init_cfg():
    model = ConfigDict(backbone=dict(type='Own', depth=3), init_cfg=dict())
    drop_initial_weights(model)
    assert model.backbone == dict(type='Own', depth=3)
    assert 'init_cfg' not in model
