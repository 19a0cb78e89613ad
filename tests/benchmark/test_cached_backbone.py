import pytest
import torch
from cached_backbone import CachedEfficientNetLite

from box2seg_mmseg.models.backbones import EfficientNetLite


def _backbone(kind=CachedEfficientNetLite, **kwargs):
    torch.manual_seed(0)
    return kind('lite0', out_indices=(2, 7), frozen_stages=7, **kwargs).train()


def _files(folder):
    return sorted(folder.rglob('*.pth'))


def test_outputs_come_from_the_folder_and_are_the_computed_ones(tmp_path):
    images = torch.rand(3, 3, 64, 64)
    want = _backbone(EfficientNetLite)(images)
    backbone = _backbone(cache_dir=tmp_path / 'cache')
    backbone(images[:2])
    assert len(_files(tmp_path)) == 2
    for outs in (backbone(images), backbone(images)):
        for out, expected in zip(outs, want, strict=True):
            torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
            assert not out.requires_grad
    assert len(_files(tmp_path)) == 3

    # Another process knows the files alone.
    for path in _files(tmp_path):
        kept = torch.load(path, weights_only=True)
        torch.save([torch.full_like(one, 7) for one in kept], path)
    for out in _backbone(cache_dir=tmp_path / 'cache')(images):
        assert (out == 7).all()


def _other_weights(backbone, images):
    state = backbone.state_dict()
    state['stem.conv.weight'] = state['stem.conv.weight'] + 1
    backbone.load_state_dict(state)
    return backbone(images)


def _other_image(backbone, images):
    return backbone(images.flip(3))


def _other_precision(backbone, images):
    with torch.autocast('cpu', torch.bfloat16):
        return backbone(images)


def _other_outputs(backbone, images):
    other = CachedEfficientNetLite(
        'lite0',
        out_indices=(1, 7),
        frozen_stages=7,
        cache_dir=backbone.cache_dir,
    )
    other.load_state_dict(backbone.state_dict())
    return other(images)


@pytest.mark.parametrize(
    'change', [_other_weights, _other_image, _other_precision, _other_outputs]
)
def test_what_changes_the_outputs_is_computed_again(change, tmp_path):
    backbone = _backbone(cache_dir=tmp_path)
    images = torch.rand(1, 3, 64, 64)
    backbone(images)
    (first,) = _files(tmp_path)
    outs = change(backbone, images)
    (new,) = set(_files(tmp_path)) - {first}
    for out, kept in zip(outs, torch.load(new), strict=True):
        assert torch.equal(out[0], kept) and out.dtype == kept.dtype


def test_a_backbone_that_learns_has_no_cache(tmp_path):
    with pytest.raises(ValueError, match=r'frozen_stages >= 6.* Got: 5'):
        CachedEfficientNetLite('lite0', tmp_path, frozen_stages=5)
