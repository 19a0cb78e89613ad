"""Weights of the small backbones and of HED, as ``box2seg://NAME``."""

from pathlib import Path

import torch
from mmengine.runner.checkpoint import CheckpointLoader

SCHEME = 'box2seg://'
NAMES = ('efficientnet-lite0', 'efficientnet-lite2', 'mobilenet-v2', 'hed')
"""The networks whose weights ``box2seg convert_backbone`` downloads."""


def weights_path(name: str) -> Path:
    """The file of the weights, next to those that torch downloads."""
    return Path(torch.hub.get_dir(), 'checkpoints', f'box2seg-{name}.pth')


@CheckpointLoader.register_scheme(prefixes=SCHEME)
def load_from_box2seg(
    filename: str, map_location: str | torch.device | None = None
) -> dict:
    """Load weights that a config names ``box2seg://NAME``.

    Args:
        filename: The scheme and one of :data:`NAMES`.
        map_location: As for ``torch.load``.

    Returns:
        The checkpoint.

    Raises:
        FileNotFoundError: The weights have not been downloaded yet.
        ValueError: There are no weights of that name.
    """
    name = filename.removeprefix(SCHEME)
    if name not in NAMES:
        raise ValueError(
            f'{filename}: must be one of '
            f'{", ".join(SCHEME + one for one in NAMES)}'
        )
    path = weights_path(name)
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: the weights of {name} are missing; download them '
            f'with: box2seg convert_backbone {name}'
        )
    return torch.load(path, map_location, weights_only=True)
