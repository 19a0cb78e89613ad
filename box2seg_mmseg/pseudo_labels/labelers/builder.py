"""From a config to a labeler."""

from collections.abc import Mapping
from typing import Any

from .box_fill import BoxFill
from .grab_cut import GrabCut
from .pseudo_labeler import PseudoLabeler

LABELERS: dict[str, type[PseudoLabeler]] = {
    'BoxFill': BoxFill,
    'GrabCut': GrabCut,
}


def build_labeler(cfg: Mapping[str, Any]) -> PseudoLabeler:
    """Build a labeler from its config.

    Args:
        cfg: ``type`` is ``'GrabCut'`` or ``'BoxFill'``; the rest are its
            arguments, as in ``dict(type='GrabCut', iterations=5, seed=0)``.

    Returns:
        The labeler: ``labeler(image, boxes, labels) -> label_map``.

    Raises:
        ValueError: ``type`` is absent or unknown.
        TypeError: An argument is unknown to the labeler.
    """
    kwargs = dict(cfg)
    name = kwargs.pop('type', None)
    if name not in LABELERS:
        raise ValueError(
            f'type must be one of {", ".join(LABELERS)}. Got: {name!r}'
        )
    return LABELERS[name](**kwargs)
