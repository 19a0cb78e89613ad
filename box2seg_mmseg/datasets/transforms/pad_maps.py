"""Padding for all maps of an image."""

import mmcv
from mmcv.transforms import Pad
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PadMaps(Pad):
    """mmcv's Pad, for every map in ``seg_fields``.

    mmcv's own pads the image and ``gt_seg_map`` and leaves the box map as it
    is. Most pipelines need neither: the data preprocessor pads batches.

    Required Keys:

    - img
    - seg_fields, and the maps that it names

    Modified Keys:

    - img
    - img_shape
    - the maps in ``seg_fields``

    Added Keys:

    - pad_shape
    - pad_fixed_size
    - pad_size_divisor

    Args are those of mmcv's Pad; ``pad_val['seg']`` (255) is for the maps.
    """

    def _pad_seg(self, results: dict) -> None:
        """Pad the maps to the size of the image."""
        for key in results['seg_fields']:
            results[key] = mmcv.impad(
                results[key],
                shape=results['pad_shape'][:2],
                pad_val=self.pad_val.get('seg', 255),
                padding_mode=self.padding_mode,
            )
