"""From a config to a labeler."""

from collections.abc import Mapping
from typing import Any

from ...registry import Registry
from .pseudo_labeler import PseudoLabeler

LABELERS: Registry[PseudoLabeler] = Registry('labeler')
"""The labelers by class name; user code can register its own."""


def build_labeler(cfg: Mapping[str, Any]) -> PseudoLabeler:
    """Build a labeler, such as ``dict(type='GrabCut', iterations=5, seed=0)``.

    Raises:
        ValueError: ``type`` is missing or unknown.
        TypeError: The class does not take one of the arguments.
    """
    return LABELERS.build(cfg)
