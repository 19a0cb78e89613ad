"""Pseudo labels that are made during training."""

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...pseudo_labels import build_labeler
from .load_pseudo_labels import LoadPseudoLabels


@TRANSFORMS.register_module()
class GeneratePseudoLabels(BaseTransform):
    """Make the pseudo label of an image on the fly as ``gt_seg_map``.

    The map is the one that ``tools/generate_pseudo_labels.py`` would store,
    made again in each epoch, which suits small data sets and checks. The
    transform must come before any other that changes the image. An image that
    has a stored label, such as the mask of an image of ``mask_ann_file``,
    gets that one.

    Required Keys:

    - img
    - img_shape
    - image_id (optional; needed by labelers that read an edge map)
    - boxes (K, 4)
    - box_labels (K,)
    - seg_fields

    Modified Keys:

    - seg_fields

    Added Keys:

    - gt_seg_map (np.uint8, (H, W)): 0 background, class id, 255 ignore.

    Args:
        labeler: Config of a labeler, such as
            ``dict(type='GrabCut', iterations=5, seed=0)``. A class of your
            own works too, if a module in ``custom_imports`` registers it in
            :data:`box2seg_mmseg.pseudo_labels.LABELERS`.
    """

    def __init__(self, labeler: dict) -> None:
        self.labeler = build_labeler(labeler)

    def transform(self, results: dict) -> dict:
        """Add the map."""
        if 'pseudo_label_path' in results:
            return LoadPseudoLabels().transform(results)
        results['gt_seg_map'] = self.labeler.label(
            results['img'],
            results['boxes'],
            results['box_labels'],
            results.get('image_id'),
        ).label_map
        results['seg_fields'].append('gt_seg_map')
        return results
