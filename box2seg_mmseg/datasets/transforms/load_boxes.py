"""Boxes as a map that goes through any geometric transform."""

import warnings

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...structures import BoxRegions, TooManyRegionsError


@TRANSFORMS.register_module()
class LoadBoxes(BaseTransform):
    """Rasterise the boxes of an image into one map of region ids.

    The map is named in ``seg_fields``, so every stock geometric transform
    resizes, crops and flips it; the table of :class:`BoxRegions` stays. To
    pad, use PadMaps in place of mmcv's Pad. Transforms that mix images
    (RandomMosaic) cannot be used: the regions of another image have another
    table.

    Required Keys:

    - img_path
    - img_shape
    - annotated_size (H, W)
    - boxes (np.float32, (K, 4)): xyxy in pixels, half-open
    - box_labels (np.int64, (K,)): in 1..L
    - seg_fields

    Modified Keys:

    - seg_fields

    Added Keys:

    - gt_box_map (np.uint8, (H, W)): 0 outside every box, r in the r-th
      region, 255 padding.
    - box_regions (:class:`BoxRegions`): the same map before any transform,
      with its table. Where the boxes make more regions than a map can hold,
      as in a crowd, the boxes of a class count as one, and a warning names
      the image.

    Args:
        num_classes: L + 1, background included; box labels must be below it.
            None accepts any label.

    Raises:
        ValueError: The image does not have the size that its annotation says,
            a label is not below ``num_classes``, or even the boxes of whole
            classes make too many regions.
    """

    def __init__(self, num_classes: int | None = None) -> None:
        self.num_classes = num_classes

    def transform(self, results: dict) -> dict:
        """Add the map and its table."""
        path, size = results['img_path'], tuple(results['img_shape'][:2])
        height, width = results['annotated_size']
        if size != (height, width):
            raise ValueError(
                f'{path}: the image is {size[1]} x {size[0]} px, its '
                f'annotation says {width} x {height}; correct the '
                'annotation, and put LoadBoxes before all transforms of the '
                'image'
            )
        boxes, labels = results['boxes'], results['box_labels']
        highest = labels.max(initial=0)
        if self.num_classes is not None and highest >= self.num_classes:
            raise ValueError(
                f'{path}: box labels must be in 1..{self.num_classes - 1}. '
                f'Got: {highest}'
            )
        try:
            regions = BoxRegions.from_boxes(boxes, labels, size)
        except TooManyRegionsError as error:
            warnings.warn(
                f'{path}: {error}; the boxes of each class count as one',
                stacklevel=2,
            )
            try:
                regions = BoxRegions.from_classes(boxes, labels, size)
            except TooManyRegionsError as error:
                raise ValueError(
                    f'{path}: {error}; cut the image into parts'
                ) from None
        results['box_regions'] = regions
        results['gt_box_map'] = regions.map.numpy()
        results['seg_fields'].append('gt_box_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_classes={self.num_classes})'
