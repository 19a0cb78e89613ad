import torch
import torch.nn.functional as F  # noqa: N812

from box2seg_mmseg.models.backbones import (
    BackboneWithDistance,
    EfficientNetLite,
)


def test_every_map_has_the_distances_as_its_last_channel():
    cfg = dict(type='EfficientNetLite', out_indices=(1, 4), frozen_stages=4)
    model = BackboneWithDistance(cfg)
    alone = EfficientNetLite(out_indices=(1, 4), frozen_stages=4)
    alone.load_state_dict(model.backbone.state_dict())
    x = torch.randn(2, 4, 64, 64)
    outs, want = model(x), alone(x[:, :3])
    for out, features, stride in zip(outs, want, (4, 16), strict=True):
        torch.testing.assert_close(out[:, :-1], features)
        # Bilinear, as the decoder resizes its maps: for even strides the
        # mean of the four pixels in the middle of each cell.
        first = stride // 2 - 1
        middle = F.avg_pool2d(x[:, 3:, first:, first:], 2, stride)
        torch.testing.assert_close(out[:, -1:], middle)
    assert not model.training or not model.backbone.stem.training
