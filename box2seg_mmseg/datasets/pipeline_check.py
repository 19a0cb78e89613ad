"""Finds transforms that would leave the boxes or the labels behind."""

from collections.abc import Iterable, Iterator

import mmcv.transforms
import mmseg.datasets.transforms

from .transforms.generate_pseudo_labels import GeneratePseudoLabels
from .transforms.load_boxes import LoadBoxes
from .transforms.load_pseudo_labels import LoadPseudoLabels

_LOADERS = LoadBoxes, LoadPseudoLabels, GeneratePseudoLabels


def check_pipeline(transforms: Iterable[object]) -> None:
    """Check the transforms of mmcv and mmseg in a training pipeline.

    Those of other packages are not known and pass.

    Args:
        transforms: The transforms, in their order. Those inside of wrappers
            such as ``RandomApply`` are checked too.

    Raises:
        ValueError: A transform changes the image before the boxes or the
            labels are loaded, or would not change all of the maps alike.
    """
    steps = list(_steps(transforms))
    are_loaders = [isinstance(step, _LOADERS) for step in steps]
    for i, step in enumerate(steps):
        name = type(step).__name__
        is_stock = type(step).__module__.startswith(('mmcv.', 'mmseg.'))
        problem = _problem(step)
        if is_stock and any(are_loaders[i:]) and not name.startswith('Load'):
            problem = (
                'comes before a transform that loads boxes or labels; move '
                'LoadBoxes and LoadPseudoLabels directly behind '
                'LoadImageFromFile'
            )
        if problem is not None:
            raise ValueError(f'{name} in the training pipeline {problem}')


def _problem(step: object) -> str | None:
    """Why a transform cannot be used, wherever it stands."""
    stock = mmseg.datasets.transforms
    # mmcv's flips gt_seg_map alone; mmseg's, every map.
    if type(step) is mmcv.transforms.RandomFlip:
        return (
            "is mmcv's, which would not flip the boxes; use mmseg's: "
            "dict(type='RandomFlip') with default_scope='mmseg'"
        )
    if getattr(step, 'swap_seg_labels', None) is not None:
        return (
            'has swap_seg_labels, which would also swap the numbers in the '
            'map of the boxes; remove it'
        )
    if isinstance(step, stock.LoadAnnotations):
        return 'reads masks; replace it with LoadPseudoLabels'
    if isinstance(step, stock.RandomRotFlip):
        return (
            'mixes the numbers of classes and of boxes when it rotates; use '
            'RandomRotate and RandomFlip'
        )
    if isinstance(step, stock.Albu):
        targets = step.additional_targets or {}
        if targets.get('gt_box_map') != 'mask':
            return (
                'would not change the boxes; give it '
                "additional_targets=dict(gt_box_map='mask')"
            )
    return None


def _steps(transforms: Iterable[object]) -> Iterator[object]:
    """All transforms; those of a wrapper follow it."""
    for step in transforms:
        yield step
        inner = getattr(step, 'transforms', ())  # of Albu, these are dicts
        yield from _steps(getattr(inner, 'transforms', inner))
