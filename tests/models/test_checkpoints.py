import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from torch import nn

from box2seg_mmseg.models.checkpoints import (
    check_classes,
    load_checkpoint_file,
    load_weights,
    save_checkpoint_file,
)

META = dict(classes=('background', 'cat'), palette=[[0, 0, 0], [1, 2, 3]])


class _Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class _EvilByEval(_Evil):
    def __reduce__(self):
        return eval, (f'open({str(self.path)!r}, "w")',)


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


@pytest.mark.parametrize('zipped', [True, False])
def test_weights_and_classes_are_read(tmp_path, zipped):
    path = tmp_path / 'a.pth'
    torch.save(_content(), path, _use_new_zipfile_serialization=zipped)
    got = load_checkpoint_file(path)
    want = _weights()
    assert got.state_dict.keys() == want.keys()
    for name, value in want.items():
        assert got.state_dict[name].dtype == value.dtype
        assert torch.equal(got.state_dict[name], value)
    assert got.dataset_meta == META
    torch.save(_weights(), path)  # a bare state dict
    got = load_checkpoint_file(path)
    assert torch.equal(got.state_dict['a'], want['a'])
    assert got.dataset_meta == {}


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('kind', [_Evil, _EvilByEval])
def test_code_in_a_checkpoint_does_not_run(tmp_path, zipped, kind):
    mark, path = tmp_path / 'mark', tmp_path / 'a.pth'

    def save(content):
        torch.save(content, path, _use_new_zipfile_serialization=zipped)

    save(_content(evil=kind(mark)))
    torch.load(path, weights_only=False)
    assert mark.exists(), 'the test itself works'
    mark.unlink()
    assert load_checkpoint_file(path).dataset_meta == META

    message = r'a\.pth: {} is a pickled Python object.*could run code'
    save(dict(state_dict=dict(b=kind(mark))))
    with pytest.raises(ValueError, match=message.format('b')):
        load_checkpoint_file(path)
    save(kind(mark))
    with pytest.raises(ValueError, match=message.format('its content')):
        load_checkpoint_file(path)
    save(dict(_content(), meta=dict(dataset_meta=dict(classes=kind(mark)))))
    assert load_checkpoint_file(path).dataset_meta == {}
    with path.open('wb') as file:
        pickle.dump(kind(mark), file)
    with pytest.raises(ValueError, match=r'a\.pth: not a checkpoint'):
        load_checkpoint_file(path)
    assert not mark.exists()


def test_a_checkpoint_changes_nothing_of_torch(tmp_path):
    """A pickle can set attributes of the functions that it names."""
    code = b'\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}U\x04markK\x01sb.'
    function = torch._utils._rebuild_tensor_v2
    assert pickle.loads(code) is function and function.mark == 1
    del function.mark
    torch.save({}, tmp_path / 'a.pth')
    with (
        zipfile.ZipFile(tmp_path / 'a.pth') as source,
        zipfile.ZipFile(tmp_path / 'b.pth', 'w') as out,
    ):
        for name in source.namelist():
            is_pickle = name.endswith('data.pkl')
            out.writestr(name, code if is_pickle else source.read(name))
    with pytest.raises(ValueError, match='its content is a pickled Python'):
        load_checkpoint_file(tmp_path / 'b.pth')
    assert not hasattr(function, 'mark')


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        load_checkpoint_file(tmp_path / 'absent.pth')
    path = tmp_path / 'a.pth'
    save_checkpoint_file(path, _content())
    whole = path.read_bytes()
    for data in (b'', b'garbage', whole[: len(whole) // 2]):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r'a\.pth: not a checkpoint'):
            load_checkpoint_file(path)
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)
    with pytest.raises(ValueError, match='TorchScript'):
        load_checkpoint_file(path)


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
