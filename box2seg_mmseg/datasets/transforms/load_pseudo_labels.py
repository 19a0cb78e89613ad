"""Stored pseudo labels as the segmentation map to train on."""

from pathlib import Path

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...label_maps import IGNORE, read_label_png


@TRANSFORMS.register_module()
class LoadPseudoLabels(BaseTransform):
    """Load the stored pseudo label of an image as ``gt_seg_map``.

    Every stock transform and decode head uses the map of this name.

    Required Keys:

    - img_shape
    - pseudo_label_path
    - seg_fields

    Modified Keys:

    - seg_fields

    Added Keys:

    - gt_seg_map (np.uint8, (H, W)): 0 background, class id, 255 ignore.

    Raises:
        FileNotFoundError: The PNG is missing.
        ValueError: It is corrupt or not an 8-bit label map of the image's
            size.
    """

    def transform(self, results: dict) -> dict:
        """Add the map."""
        path = results.get('pseudo_label_path')
        if path is None:
            raise FileNotFoundError(
                f'{results["img_path"]}: has neither a pseudo label nor a '
                'mask; set pseudo_label_dir of the dataset'
            )
        if not Path(path).is_file():
            raise FileNotFoundError(
                f'{path}: no such pseudo label; make it with '
                'generate_pseudo_labels or correct pseudo_label_dir'
            )
        label_map = read_label_png(path, IGNORE)  # any class
        size = tuple(results['img_shape'][:2])
        if label_map.shape != size:
            raise ValueError(
                f'{path}: must have the size of its image, {size}. '
                f'Got: {label_map.shape}'
            )
        results['gt_seg_map'] = label_map
        results['seg_fields'].append('gt_seg_map')
        return results
