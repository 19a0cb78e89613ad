"""Checkpoints that try to do more than hold weights."""

import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.serialization import MAGIC_NUMBER, PROTOCOL_VERSION

from box2seg_mmseg.models.checkpoint_reader import (
    Placeholder,
    read_checkpoint,
)
from box2seg_mmseg.models.checkpoints import load_checkpoint_file


class _Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class _EvilByEval(_Evil):
    def __reduce__(self):
        return eval, (f'open({str(self.path)!r}, "w")',)


@pytest.mark.parametrize('variable', ['NO_', '', None])
@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('kind', [_Evil, _EvilByEval])
def test_code_does_not_run(tmp_path, monkeypatch, kind, zipped, variable):
    """Whatever an environment variable of torch says."""
    mark, path = tmp_path / 'mark', tmp_path / 'a.pth'

    def save(content):
        torch.save(content, path, _use_new_zipfile_serialization=zipped)

    meta = dict(dataset_meta=dict(classes=('cat',)))
    weights = dict(b=torch.ones(2))
    save(dict(meta=meta, state_dict=weights, evil=kind(mark)))
    torch.load(path, weights_only=False)
    assert mark.exists(), 'the test itself works'
    mark.unlink()
    for name in ('WEIGHTS', 'NO_WEIGHTS'):
        monkeypatch.delenv(f'TORCH_FORCE_{name}_ONLY_LOAD', raising=False)
    if variable is not None:
        name = f'TORCH_FORCE_{variable}WEIGHTS_ONLY_LOAD'
        monkeypatch.setenv(name, '1')
    if zipped:
        assert load_checkpoint_file(path).dataset_meta == meta['dataset_meta']
    for content in (
        dict(state_dict=dict(b=kind(mark))),
        dict(state_dict=kind(mark)),
        kind(mark),
    ):
        save(content)
        with pytest.raises(ValueError, match=r'a\.pth: .*run code.*--trust-'):
            load_checkpoint_file(path)
    if zipped:
        meta = dict(dataset_meta=dict(classes=kind(mark)))
        save(dict(state_dict=weights, meta=meta))
        assert load_checkpoint_file(path).dataset_meta == {}
    path.write_bytes(pickle.dumps(kind(mark)))
    with pytest.raises(ValueError, match=r'a\.pth: not a checkpoint'):
        load_checkpoint_file(path)
    assert not mark.exists()


def _text(value):
    data = value.encode()
    return b'X' + struct.pack('<I', len(data)) + data


def _written(path, code, **records):
    """A zip file of torch with another pickle and other records."""
    torch.save(torch.zeros(4), path)
    with zipfile.ZipFile(path) as source:
        kept = {name: source.read(name) for name in source.namelist()}
    kept['a/data.pkl'] = b'\x80\x02' + code + b'.'
    for name, data in records.items():
        kept[f'a/{name}'] = data
    with zipfile.ZipFile(path, 'w') as out:
        for name, data in kept.items():
            out.writestr(name, data)
    return path


def _tensor_code(storage, size, offset=0, stride=1):
    def number(value):
        data = value.to_bytes(16, 'little', signed=True)
        return b'\x8a\x10' + data

    return (
        b'ctorch._utils\n_rebuild_tensor_v2\n('
        + storage
        + number(offset)
        + number(size)
        + b'\x85'
        + number(stride)
        + b'\x85\x89}tR'
    )


STORAGE = (
    b'(' + _text('storage') + b'ctorch\nFloatStorage\n' + _text('0')
    + _text('cpu') + b'K\x04tQ'
)  # fmt: skip
# An object that weights_only refuses, so that the other reader is used.
OBJECT = b'cos\nnothing\n0'


@pytest.mark.parametrize('first', [b'', OBJECT])
@pytest.mark.parametrize(
    'code',
    [
        _tensor_code(STORAGE, 5),
        _tensor_code(STORAGE, 10**15),
        _tensor_code(STORAGE, 2**80),
        _tensor_code(STORAGE, -1),
        _tensor_code(STORAGE, 2, offset=-1),
        _tensor_code(STORAGE, 2, offset=3),
        _tensor_code(STORAGE, 2, stride=-1),
        _tensor_code(STORAGE, 2, stride=2**62),
        _tensor_code(STORAGE.replace(_text('0'), _text('../../version')), 1),
        _tensor_code(STORAGE.replace(_text('0'), b'}'), 1),
        _tensor_code(STORAGE.replace(b'cto', b'cno'), 1),
        _tensor_code(STORAGE.replace(_text('storage'), _text('module')), 1),
        _tensor_code(b'cos\nsystem\n', 1),
        _tensor_code(b'}', 1),
        b'(' + _text('module') + b'cos\nsystem\n' + _text('a') * 2 + b'tQ',
        b'\x82\x01',  # an extension that is not registered
        b'ccollections\nOrderedDict\n}U\x05itemsK\x01sb',
        b'ctorch\nSize\n}U\x05itemsK\x01sb',
    ],
)
def test_impossible_tensors_are_refused(tmp_path, first, code):
    path = _written(tmp_path / 'a.pth', OBJECT + _tensor_code(STORAGE, 4))
    assert torch.equal(read_checkpoint(path), torch.zeros(4)), 'this works'
    path = _written(tmp_path / 'a.pth', first + code)
    with pytest.raises(ValueError, match=r'a\.pth: not a checkpoint'):
        read_checkpoint(path)


@pytest.mark.parametrize(
    'name',
    [
        'builtins eval',
        'builtins getattr',
        'builtins object',
        'collections namedtuple',
        'copyreg _reconstructor',
        'functools partial',
        'numpy ndarray',
        'os system',
        'torch load',
        'torch nn.Module',
        'torch._tensor _rebuild_from_type_v2',
        'torch._utils _rebuild_qtensor',
        'torch._utils _rebuild_wrapper_subclass',
        'torch.serialization _check_container_source',
        'torch.storage _load_from_bytes',
    ],
)
def test_all_other_objects_are_inert(tmp_path, name):
    glob = f'c{name}\n'.replace(' ', '\n').encode()
    mark = tmp_path / 'mark'
    for code in (
        glob,
        glob + b'(' + _text(f'touch {mark}') + b'tR',
        glob + b')\x81',  # cls.__new__(cls)
        glob + b')\x81}' + _text('__class__') + glob + b'sb',
        glob + b')\x81(N}' + _text('__class__') + glob + b'stb',
        glob + b')\x81(K\x01K\x02u(K\x01e(K\x02\x90',
    ):
        got = read_checkpoint(_written(tmp_path / 'a.pth', OBJECT + code))
        kind = got if isinstance(got, type) else type(got)
        assert kind.__mro__[1:] == (Placeholder, object)
    assert not mark.exists()


def test_nothing_of_torch_changes(tmp_path):
    """A pickle can set attributes of the functions that it names."""
    name = b'ctorch._utils\n_rebuild_tensor_v2\n'
    code = name + b'}' + _text('mark') + b'K\x01sb'
    function = torch._utils._rebuild_tensor_v2
    assert pickle.loads(code + b'.') is function and function.mark == 1
    del function.mark
    read_checkpoint(_written(tmp_path / 'a.pth', OBJECT + code))
    assert not hasattr(function, 'mark')


def test_no_patch_is_written(tmp_path, monkeypatch):
    """torch's loader of the old format writes one for a changed class."""
    evil = tmp_path / 'evil'
    code = (
        b'\x80\x02(' + _text('module')
        + b'ctorch._utils\n_rebuild_tensor_v2\n(N}('
        + _text('__name__') + _text(str(evil)) + _text('dump_patches')
        + b'\x88utb' + _text('a.py') + _text('code of mine\n') + b'tQ.'
    )  # fmt: skip
    path = tmp_path / 'a.pth'
    head = (MAGIC_NUMBER, PROTOCOL_VERSION, {})
    path.write_bytes(b''.join(pickle.dumps(v, 2) for v in head) + code)
    with pytest.raises(ValueError, match=r'a\.pth: not a checkpoint'):
        load_checkpoint_file(path)
    assert list(tmp_path.iterdir()) == [path]


def test_tar_files_are_refused(tmp_path):
    """weights_only=True runs code in them before torch 2.6."""
    mark = tmp_path / 'mark'
    (tmp_path / 'storages').write_bytes(pickle.dumps(_Evil(mark)))
    path = tmp_path / 'a.pth'
    with tarfile.open(path, 'w') as tar:
        tar.add(tmp_path / 'storages', 'storages')
    with pytest.raises(ValueError, match=r'a\.pth: .*run code when'):
        load_checkpoint_file(path)
    assert not mark.exists()


def test_methods_of_a_dict_cannot_be_replaced(tmp_path):
    """An OrderedDict has attributes, which a pickle may set."""
    ordered = b'ccollections\nOrderedDict\n'
    content = ordered + b')R' + _text('a') + b'cos\nsystem\ns'
    names = ('items', 'get', 'keys', 'values', '__iter__')
    names = b''.join(_text(name) + ordered for name in names)
    code = content + b'}(' + names + b'ub'
    path = _written(tmp_path / 'a.pth', code)
    assert list(read_checkpoint(path).items()) == [], 'the test itself works'
    with pytest.raises(ValueError, match=r'a is a pickled Python object'):
        load_checkpoint_file(path)


def test_nested_metadata_is_left_out(tmp_path):
    path = tmp_path / 'a.pth'
    loop, deep = [], []
    loop.append(loop)
    for _ in range(100):
        deep = [deep]
    meta = dict(classes=('a',), palette=[[1, 2, 3]], loop=loop, deep=deep)
    content = dict(state_dict={}, meta=dict(dataset_meta=meta))
    for extra in (0, np.float64(1)):
        torch.save(dict(content, extra=extra), path)
        assert load_checkpoint_file(path).dataset_meta == dict(
            classes=('a',), palette=[[1, 2, 3]]
        )


def test_compressed_and_foreign_archives_are_refused(tmp_path):
    path = tmp_path / 'a.pth'
    for kind, name, message in (
        (zipfile.ZIP_DEFLATED, 'a', 'compressed'),
        (zipfile.ZIP_STORED, 'b', 'not a checkpoint'),
    ):
        with zipfile.ZipFile(path, 'w', kind) as out:
            out.writestr('a/data.pkl', b'\x80\x02' + OBJECT + b'}.')
            out.writestr(f'{name}/version', b'3\n')
        with pytest.raises(ValueError, match=message):
            read_checkpoint(path)
    _written(path, OBJECT + _tensor_code(STORAGE, 4), byteorder=b'big')
    with pytest.raises(ValueError, match='other byte order'):
        read_checkpoint(path)


def test_tensors_of_all_kinds_are_read(tmp_path):
    """As torch reads them; views of one storage stay views of one."""
    base = torch.arange(24).reshape(4, 6)
    tensors = dict(
        view=base[1:, ::2].t(),
        part=base[2],
        empty=torch.empty(0, 3),
        scalar=torch.tensor(2.5),
        parameter=nn.Parameter(torch.ones(2)),
        expanded=torch.ones(1).expand(3),
    )
    for name in ('bool', 'uint8', 'int8', 'int16', 'int32', 'int64'):
        tensors[name] = torch.tensor([0, 1, 1], dtype=getattr(torch, name))
    for name in ('float16', 'bfloat16', 'float32', 'float64'):
        tensors[name] = torch.tensor([0.5, -3], dtype=getattr(torch, name))
    path = tmp_path / 'a.pth'
    torch.save(dict(tensors=tensors, extra=_Evil(path)), path)
    got = read_checkpoint(path)
    assert isinstance(got['extra'], Placeholder)
    got = got['tensors']
    assert got.keys() == tensors.keys()
    for name, want in tensors.items():
        assert got[name].dtype == want.dtype
        assert got[name].stride() == want.stride()
        assert torch.equal(got[name], want)
    got['view'][0, 1] = -7
    assert got['part'][0] == -7
