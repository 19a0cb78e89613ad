"""Packs the box map beside what mmseg packs."""

import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackBox2SegInputs(PackSegInputs):
    """mmseg's PackSegInputs plus the box map and its tables.

    Required Keys: those of PackSegInputs, and

    - gt_box_map (np.uint8, (H, W))
    - box_region_classes (np.bool_, (R + 1, L + 1))
    - box_region_boxes (np.bool_, (R + 1, K)) and box_region_labels (K,),
      where LoadBoxes tells boxes apart

    Added to the data sample:

    - gt_box_map: PixelData with a uint8 tensor ``(1, H, W)``.
    - box_region_classes: bool tensor ``(R + 1, L + 1)``.
    - box_region_boxes: bool tensor ``(R + 1, K)``, and box_region_labels:
      int64 tensor ``(K,)``, if they are there.

    Raises:
        ValueError: The box map has not the size of the label (without one,
            of the image): a transform skipped it.
    """

    def transform(self, results: dict) -> dict:
        """Pack the sample."""
        # Losses may be taken at another size than the image's.
        like = 'gt_seg_map' if 'gt_seg_map' in results else 'img'
        size = results[like].shape[:2]
        if results['gt_box_map'].shape != size:
            raise ValueError(
                f'gt_box_map must have the size of {like}, {size}; a '
                "transform skipped it, as mmcv's Pad does: take PadMaps, or "
                'leave padding to the data preprocessor. '
                f'Got: {results["gt_box_map"].shape}'
            )
        packed = super().transform(results)
        box_map = torch.from_numpy(results['gt_box_map'][None].copy())
        tables = ['box_region_classes']
        if 'box_region_boxes' in results:
            tables += ['box_region_boxes', 'box_region_labels']
        packed['data_samples'].set_data(
            dict(
                gt_box_map=PixelData(data=box_map),
                **{name: torch.from_numpy(results[name]) for name in tables},
            )
        )
        return packed
