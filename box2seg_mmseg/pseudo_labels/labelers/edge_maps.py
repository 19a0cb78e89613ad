"""What the labelers that read maps of boundaries share."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...files import PILLOW_ERRORS
from ...images import ImageError
from ...option import Option
from ..store import read_manifest
from .grab_cut import GrabCut
from .pseudo_labeler import PseudoLabeler

_COMMAND = 'box2seg make_edge_maps'


def scale_option(default: float) -> Option:
    """The option of the argument ``boundary_scale``."""
    return Option(
        'boundary_scale',
        float,
        'probability of a boundary at which a link between two pixels falls '
        f'to 1/e (default: {default})',
    )


class EdgeMapLabeler(PseudoLabeler):
    """A GrabCut whose links may follow the boundaries in a folder of maps.

    Args:
        edge_dir: Holds ``<image_id>.png`` as ``make_edge_maps`` writes it,
            8-bit grey in the size of the photograph: the probability of a
            boundary at each pixel, in 255ths. None for links that follow the
            colours.
        boundary_scale: A link's weight falls to 1/e at this probability of a
            boundary.

    Raises:
        ValueError: There is no such folder, or the scale is not above 0.
    """

    def __init__(
        self, edge_dir: str | Path | None, boundary_scale: float
    ) -> None:
        if edge_dir is not None and not Path(edge_dir).is_dir():
            raise ValueError(
                f'{edge_dir}: no such folder; make edge maps with: {_COMMAND}'
            )
        if not boundary_scale > 0:
            raise ValueError(
                f'boundary_scale must be > 0. Got: {boundary_scale}'
            )
        self.edge_dir = None if edge_dir is None else str(edge_dir)
        self.boundary_scale = boundary_scale

    @property
    def provenance(self) -> dict[str, Any]:
        """See the base class: how the edge maps were made."""
        if self.edge_dir is None:
            return {}
        return {'edge_maps': read_manifest(self.edge_dir)}

    def side_files(self, image_id: str) -> tuple[Path, ...]:
        """See the base class: the edge map.

        Raises:
            ImageError: It is missing.
        """
        if self.edge_dir is None:
            return ()
        path = Path(self.edge_dir, f'{image_id}.png')
        if not path.is_file():
            raise ImageError(f'{path}: missing; make it with: {_COMMAND}')
        return (path,)

    def warm_up(self, progress: bool = False) -> None:
        """See the base class; the compiled functions are GrabCut's."""
        GrabCut().warm_up(progress)

    def read_edges(
        self, image_id: str | None, size: tuple[int, int]
    ) -> np.ndarray | None:
        """Read the edge map of an image.

        Args:
            image_id: Its id.
            size: ``(H, W)`` of the photograph in pixels.

        Returns:
            ``(H, W)`` uint8, or None without ``edge_dir``.

        Raises:
            ValueError: No id was given.
            ImageError: The map is missing, corrupt, not an 8-bit grey image,
                or of another size.
        """
        if self.edge_dir is None:
            return None
        if image_id is None:
            raise ValueError('image_id must name the edge map. Got: None')
        (path,) = self.side_files(image_id)
        try:
            with Image.open(path) as image:
                mode, (width, height) = image.mode, image.size
                edges = np.array(image)
        except PILLOW_ERRORS:
            raise ImageError(
                f'{path}: truncated or corrupt; make it again with: {_COMMAND}'
            ) from None
        if (mode, height, width) != ('L', *size):
            raise ImageError(
                f'{path}: must be 8-bit grey (L), {size[1]} x {size[0]} px, '
                f'as the photograph; make it again with: {_COMMAND}. '
                f'Got: {mode}, {width} x {height} px'
            )
        return edges
