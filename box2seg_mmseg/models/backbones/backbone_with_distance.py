"""A backbone that passes on the distance map of a box."""

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.utils import ConfigType, OptConfigType
from torch import Tensor


@MODELS.register_module()
class BackboneWithDistance(BaseModule):
    """Appends the distance map to every feature map of a backbone.

    Deep GrabCut (Xu et al., BMVC 2017) trains a network with an input of four
    channels. Here the backbone sees the colours alone, so that it can stay
    frozen with its ImageNet weights, and the decoder sees the distance map in
    the size of each feature map, as one channel more (our choice).

    Args:
        backbone: Config of any backbone.
        init_cfg: As for mmengine's BaseModule.
    """

    def __init__(
        self, backbone: ConfigType, init_cfg: OptConfigType = None
    ) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """``(N, 4, H, W)`` images to maps of one channel more each."""
        distance = x[:, 3:]
        return tuple(
            torch.cat(
                [
                    features,
                    resize(distance, features.shape[2:], mode='bilinear').to(
                        features.dtype
                    ),
                ],
                1,
            )
            for features in self.backbone(x[:, :3])
        )
