"""EfficientNet-Lite, a backbone that a CPU trains in minutes."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.models.utils import make_divisible
from mmseg.registry import MODELS
from mmseg.utils import ConfigType, OptConfigType
from torch import Tensor, nn

# Repeats, kernel, stride, expansion and output channels of each stage of
# EfficientNet-B0 (Tan and Le, 2019, Table 1).
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# Width and depth multipliers.
VARIANTS = dict(lite0=(1.0, 1.0), lite2=(1.1, 1.2))


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite0 or -Lite2: no squeeze-and-excitation, ReLU6.

    Stages 0 to 6 have strides 2, 4, 8, 16, 16, 32 and 32; stage 7 is the layer
    of 1280 channels before ImageNet's classifier. Padding is TensorFlow's
    'SAME', with which the weights were trained.

    Args:
        variant: ``'lite0'`` or ``'lite2'``.
        out_indices: Stages whose output is returned, from the first to the
            last. Stages after the last one are not built.
        frozen_stages: The stem and the stages up to this one stay in
            evaluation mode and are not trained; -1 freezes nothing.
        norm_cfg: Config of the batch norms; the weights need eps 1e-3.
        channels_last: Keep channels last in memory, which is about twice as
            fast on a CPU.
        init_cfg: As for mmengine's BaseModule.

    Raises:
        ValueError: ``variant`` or ``out_indices`` is not one of the above.
    """

    def __init__(
        self,
        variant: str = 'lite0',
        out_indices: tuple[int, ...] = (1, 2, 4, 6),
        frozen_stages: int = -1,
        norm_cfg: ConfigType = dict(type='BN', eps=1e-3, momentum=0.01),
        channels_last: bool = True,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg)
        if variant not in VARIANTS:
            raise ValueError(
                f'variant must be one of {", ".join(VARIANTS)}. '
                f'Got: {variant!r}'
            )
        if not set(out_indices) <= set(range(len(STAGES) + 1)):
            raise ValueError(
                f'out_indices must be in 0..{len(STAGES)}. Got: {out_indices}'
            )
        width, depth = VARIANTS[variant]
        self.out_indices = out_indices
        self.frozen_stages = frozen_stages
        self.channels_last = channels_last
        channels = 32
        self.stem = ConvBN(3, channels, 3, norm_cfg, stride=2)
        self.stages = nn.ModuleList()
        for i, (repeats, kernel, stride, expansion, out) in enumerate(STAGES):
            # Lite scales neither the first nor the last stage's depth.
            if 0 < i < len(STAGES) - 1:
                repeats = math.ceil(depth * repeats)
            out = make_divisible(width * out, 8)
            stage = nn.Sequential()
            for _ in range(repeats):
                stage.append(
                    MBConv(channels, out, kernel, stride, expansion, norm_cfg)
                )
                channels, stride = out, 1
            self.stages.append(stage)
        self.stages.append(ConvBN(channels, 1280, 1, norm_cfg))
        # DistributedDataParallel refuses parameters without a gradient.
        del self.stages[max(out_indices) + 1 :]
        if channels_last:
            self.to(memory_format=torch.channels_last)
        self._freeze()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """``(N, 3, H, W)`` images to one map for each of ``out_indices``."""
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.stem(x)
        outs = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)

    def train(self, mode: bool = True) -> 'EfficientNetLite':
        """Switch the mode; frozen stages stay in evaluation mode."""
        super().train(mode)
        self._freeze()
        return self

    def _freeze(self) -> None:
        if self.frozen_stages >= 0:
            for part in (self.stem, *self.stages[: self.frozen_stages + 1]):
                part.eval().requires_grad_(False)


class MBConv(nn.Module):
    """Inverted bottleneck: expand, depthwise, project; plus the input."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        norm_cfg: ConfigType,
    ) -> None:
        super().__init__()
        self.has_skip = stride == 1 and in_channels == out_channels
        hidden = in_channels * expansion
        layers = []
        if expansion != 1:
            layers.append(ConvBN(in_channels, hidden, 1, norm_cfg))
        layers += [
            ConvBN(hidden, hidden, kernel, norm_cfg, stride, groups=hidden),
            ConvBN(hidden, out_channels, 1, norm_cfg, has_act=False),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C', H / stride, W / stride)``."""
        out = self.layers(x)
        return x + out if self.has_skip else out


class ConvBN(nn.Module):
    """Convolution with 'SAME' padding, batch norm and, if asked, ReLU6.

    In evaluation mode, which frozen stages never leave, the batch norm is
    folded into the convolution: equal up to rounding, and 1.7 times as fast.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        norm_cfg: ConfigType,
        stride: int = 1,
        groups: int = 1,
        has_act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel,
            stride,
            # 'SAME' is symmetric where the stride is 1.
            padding=kernel // 2 if stride == 1 else 0,
            groups=groups,
            bias=False,
        )
        self.bn = build_norm_layer(norm_cfg, out_channels)[1]
        self.has_act = has_act

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C', ceil(H / stride), ...)``."""
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        if stride > 1:
            height, width = (
                max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
                for side in x.shape[2:]
            )
            # An odd pixel goes to the right and the bottom, as in TensorFlow.
            left, top = width // 2, height // 2
            x = F.pad(x, (left, width - left, top, height - top))
        if self.bn.training:
            x = self.bn(self.conv(x))
        else:
            bn = self.bn
            scale = bn.weight * (bn.running_var + bn.eps).rsqrt()
            weight = self.conv.weight * scale.view(-1, 1, 1, 1)
            bias = bn.bias - bn.running_mean * scale
            x = self.conv._conv_forward(x, weight, bias)
        return F.relu6(x, inplace=True) if self.has_act else x
