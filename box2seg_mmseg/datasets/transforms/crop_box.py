"""The crop around a box, with the distance map of the box."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...boxes import BoxCrop, pixel_boxes
from ...label_maps import mask_of_label


@TRANSFORMS.register_module()
class CropBox(BaseTransform):
    """Crop an image to the surroundings of one of its boxes.

    The label keeps the object of the box alone: the pixels inside the box
    that have its class become class 1, ignored pixels inside it stay ignored,
    and all others are background.

    Required Keys:

    - img (np.uint8, (H, W, 3)): BGR
    - gt_seg_map (np.uint8, (H, W))
    - box (4,): xyxy in pixels, half-open
    - box_label

    Modified Keys:

    - img (np.uint8, (side, side, 4)): RGB and the distance map, see
      :class:`BoxCrop`.
    - img_shape
    - ori_shape: that of the crop, in which predictions are evaluated.
    - gt_seg_map (np.uint8, (side, side))

    Args:
        side: Width and height of the crop in pixels.
        margin: What the crop shows on each side of the box, as a share of its
            width and height.
        jitter: In training, each side of the box that the network sees moves
            by up to this share of the width or height, below 0.5.

    Raises:
        ValueError: ``jitter`` is out of range.
    """

    def __init__(
        self, side: int = 256, margin: float = 0.25, jitter: float = 0.0
    ) -> None:
        if not 0 <= jitter < 0.5:
            raise ValueError(f'jitter must be in [0, 0.5). Got: {jitter}')
        self.side = side
        self.margin = margin
        self.jitter = jitter

    def transform(self, results: dict) -> dict:
        """Crop the image and its label."""
        image, label = results['img'], results['gt_seg_map']
        size = image.shape[:2]
        ((x1, y1, x2, y2),) = pixel_boxes(results['box'], size)
        only = np.zeros_like(label)
        only[y1:y2, x1:x2] = mask_of_label(
            label[y1:y2, x1:x2], results['box_label']
        )
        box = np.array([x1, y1, x2, y2], np.float64)
        if self.jitter:
            sides = np.array([x2 - x1, y2 - y1] * 2)
            box += sides * np.random.uniform(-self.jitter, self.jitter, 4)
            box = np.clip(box, 0, (size[1], size[0]) * 2)
        crop = BoxCrop(tuple(box), size, self.side, self.margin)
        results['img'] = crop.image(image)
        results['gt_seg_map'] = crop.label(only)
        results['img_shape'] = results['ori_shape'] = (self.side, self.side)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(side={self.side}, margin={self.margin}, '
            f'jitter={self.jitter})'
        )
