"""Packs the boxes beside what mmseg packs."""

from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackBox2SegInputs(PackSegInputs):
    """mmseg's PackSegInputs plus the boxes.

    Required Keys: those of PackSegInputs, and

    - gt_box_map (np.uint8, (H, W))
    - box_regions (:class:`BoxRegions`)

    Added to the data sample:

    - gt_box_regions: the :class:`BoxRegions` of the transformed map.
    - num_classes, in its meta information, if the dataset tells it.

    Raises:
        ValueError: LoadBoxes did not run, or the box map does not have the
            size of the label (without one, of the image): a transform skipped
            it. Or several images were mixed.
    """

    def transform(self, results: dict) -> dict:
        """Pack the sample."""
        if 'gt_box_map' not in results:
            raise ValueError(
                f'{results.get("img_path")}: no box map to pack; add '
                "dict(type='LoadBoxes') to the pipeline, before any transform "
                'of the image'
            )
        # RandomMosaic sets ori_shape to three values.
        want = results.get('annotated_size')
        got = results.get('ori_shape')
        if want is not None and got is not None and tuple(got) != tuple(want):
            raise ValueError(
                f'{results.get("img_path")}: ori_shape must be {want}, as the '
                'annotation says; remove RandomMosaic, which mixes images but '
                f'not the numbers of their boxes. Got: {tuple(got)}'
            )
        # Losses may be taken at another size than the image's.
        like = 'gt_seg_map' if 'gt_seg_map' in results else 'img'
        size = results[like].shape[:2]
        box_map = results['gt_box_map']
        if box_map.shape != size:
            raise ValueError(
                f'gt_box_map must have the size of {like}, {size}; a '
                "transform skipped it, as mmcv's Pad does: use PadMaps, or "
                f'leave padding to the data preprocessor. Got: {box_map.shape}'
            )
        packed = super().transform(results)
        sample = packed['data_samples']
        sample.set_data(
            dict(gt_box_regions=results['box_regions'].with_map(box_map))
        )
        if 'num_classes' in results:
            sample.set_metainfo(dict(num_classes=results['num_classes']))
        return packed
