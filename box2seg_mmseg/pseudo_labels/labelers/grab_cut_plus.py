"""GrabCut whose links follow detected boundaries: GrabCut+."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...option import Option
from .box_cut import BoxCut
from .builder import LABELERS
from .edge_maps import EdgeMapLabeler, scale_option
from .exact_grab_cut import ExactGrabCut
from .grab_cut import GrabCut
from .segment import Segment

_BOUNDARY_SCALE = 0.3


@LABELERS.register_module()
class GrabCutPlus(EdgeMapLabeler):
    """Segments each box with GrabCut along detected boundaries (GrabCut+).

    From Khoreva et al., "Simple Does It", CVPR 2017: a link between two
    pixels weakens with the probability of a boundary instead of with the
    difference of their colours. All else is as in :class:`GrabCut`. The
    network HED, which finds the boundaries, was trained on boundaries that
    people drew: **extra supervision** beyond boxes.

    Args:
        edge_dir: Folder of edge maps, made with ``box2seg make_edge_maps``.
        iterations: GrabCut iterations.
        seed: Seed of the random generator, set before each cut.
        boundary_scale: A link's weight falls to 1/e at this probability of a
            boundary, above 0 (the function and its scale are our choice).

    Raises:
        ValueError: An argument is out of range, or there is no ``edge_dir``.
    """

    method = 'grabcut_plus'
    options = (
        Option(
            'edge_dir', str, 'folder that make_edge_maps has written; required'
        ),
        Option('iterations', int, 'iterations of GrabCut (default: 5)'),
        Option('seed', int, 'seed of its random numbers (default: 0)'),
        scale_option(_BOUNDARY_SCALE),
    )

    def __init__(
        self,
        edge_dir: str | Path,
        iterations: int = 5,
        seed: int = 0,
        boundary_scale: float = _BOUNDARY_SCALE,
    ) -> None:
        super().__init__(edge_dir, boundary_scale)
        GrabCut(iterations, seed)  # checks them
        self.iterations = iterations
        self.seed = seed

    def segment_boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None,
    ) -> Sequence[Segment]:
        """See the base class."""
        make_grab_cut = partial(
            ExactGrabCut,
            boundary=self.read_edges(image_id, image.shape[:2]),
            boundary_scale=self.boundary_scale,
        )
        cut = BoxCut(image, make_grab_cut, self.iterations)
        segments = []
        for box in boxes.tolist():
            foreground, fallback = cut(tuple(box), self.seed)
            segments.append(Segment(foreground.astype(np.uint8), fallback))
        return segments
