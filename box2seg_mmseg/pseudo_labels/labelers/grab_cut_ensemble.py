"""The votes of many perturbed cuts of each box: GrabCut+^i."""

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ...boxes import grow_box, pixel_boxes
from ...label_maps import IGNORE
from ...option import Option
from .box_cut import BoxCut, reason_to_fill
from .builder import LABELERS
from .edge_maps import EdgeMapLabeler, scale_option
from .exact_grab_cut import ExactGrabCut
from .grab_cut import GrabCut
from .segment import Box, Segment
from .stability import perturbed_boxes

# Width of the background that a cut sees on each side of its box, as a share
# of the box's width or height.
_LEAST_MARGIN, _LARGEST_MARGIN = 0.1, 0.6
_BOUNDARY_SCALE = 0.2

# No box is shrunk below this width or height in pixels: a cut needs an inside.
_LEAST_SIDE = 10


@LABELERS.register_module()
class GrabCutEnsemble(EdgeMapLabeler):
    """Segments each box by the votes of many cuts (GrabCut+^i).

    From Khoreva et al., "Simple Does It", CVPR 2017: each box is cut about
    150 times, with its sides moved by up to 5 % and with 10 to 60 % of its
    width and height as background around it. A pixel is foreground where
    more than 70 % of the cuts say so, background where less than 20 % do, and
    ignored otherwise. With ``edge_dir`` the links follow boundaries as in
    :class:`GrabCutPlus`, which is the paper's GrabCut+^i and uses **extra
    supervision**; without it they follow the colours.

    Our choice: the margin is the same on all four sides, each cut has a seed
    of its own, starts from Algorithm 1's mask and sees the photograph shrunk
    so that the box has ``max_pixels``, and the shares are interpolated
    linearly to full size. Boxes that :class:`GrabCut` fills are filled.

    Args:
        edge_dir: Folder of edge maps, made with ``box2seg make_edge_maps``;
            None for links that follow the colours.
        cuts: Cuts of each box, at least 1.
        foreground_share: See above, in ``[0, 1)``.
        background_share: See above, at most ``foreground_share``.
        iterations: GrabCut iterations of each cut.
        seed: The boxes, margins and cuts depend on it and on the box alone.
        boundary_scale: As for :class:`GrabCutPlus`.
        max_pixels: A box with more pixels is shrunk to this number, which
            bounds the time, or until its shorter side has 10 pixels.

    Raises:
        ValueError: An argument is out of range, or there is no ``edge_dir``.
    """

    method = 'grabcut_ensemble'
    options = (
        Option(
            'edge_dir',
            str,
            'folder that make_edge_maps has written (default: links between '
            'pixels follow the colours)',
        ),
        Option('cuts', int, 'cuts of each box (default: 150)'),
        Option(
            'foreground_share',
            float,
            'a pixel is foreground where a larger share of the cuts says so '
            '(default: 0.7)',
        ),
        Option(
            'background_share',
            float,
            'a pixel is background where a smaller share of the cuts says '
            'foreground, and 255 between the two shares (default: 0.2)',
        ),
        Option('iterations', int, 'iterations of GrabCut (default: 2)'),
        Option('seed', int, 'seed of its random numbers (default: 0)'),
        scale_option(_BOUNDARY_SCALE),
        Option(
            'max_pixels',
            int,
            'shrink a box with more pixels to this number, or until its '
            'shorter side has 10 pixels (default: 4000)',
        ),
    )

    def __init__(
        self,
        edge_dir: str | Path | None = None,
        cuts: int = 150,
        foreground_share: float = 0.7,
        background_share: float = 0.2,
        iterations: int = 2,
        seed: int = 0,
        boundary_scale: float = _BOUNDARY_SCALE,
        max_pixels: int = 4000,
    ) -> None:
        super().__init__(edge_dir, boundary_scale)
        if cuts < 1:
            raise ValueError(f'cuts must be >= 1. Got: {cuts}')
        if not 0 <= background_share <= foreground_share < 1:
            raise ValueError(
                'shares must be 0 <= background_share <= foreground_share '
                f'< 1. Got: {background_share} and {foreground_share}'
            )
        if max_pixels < 100:
            raise ValueError(f'max_pixels must be >= 100. Got: {max_pixels}')
        GrabCut(iterations, seed, perturbations=cuts)  # checks them
        self.cuts = cuts
        self.foreground_share = foreground_share
        self.background_share = background_share
        self.iterations = iterations
        self.seed = seed
        self.max_pixels = max_pixels

    def segment_boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None,
    ) -> Sequence[Segment]:
        """See the base class."""
        edges = self.read_edges(image_id, image.shape[:2])
        return [
            self._segment(image, edges, tuple(box)) for box in boxes.tolist()
        ]

    def _segment(
        self, image: np.ndarray, edges: np.ndarray | None, box: Box
    ) -> Segment:
        """Segment one box by its votes."""
        size = box[3] - box[1], box[2] - box[0]
        if reason := reason_to_fill(box, image.shape[:2]):
            return Segment(np.ones(size, np.uint8), reason)
        share = self._vote(image, edges, box)
        values = np.full(size, IGNORE, np.uint8)
        values[share > self.foreground_share] = 1
        values[share < self.background_share] = 0
        return Segment(values)

    def _vote(
        self, image: np.ndarray, edges: np.ndarray | None, box: Box
    ) -> np.ndarray:
        """The share of the cuts in which each pixel is foreground.

        Returns:
            ``(h, w)`` float64, the size of the box, in ``[0, 1]``.
        """
        x1, y1, x2, y2 = box
        # All that a cut can see: 10 % more for boxes that are moved.
        view = grow_box(box, 1.1 * _LARGEST_MARGIN + 0.1, image.shape[:2])
        left, top, right, bottom = view
        width, height = x2 - x1, y2 - y1
        scale = min(
            max(
                math.sqrt(self.max_pixels / (width * height)),
                _LEAST_SIDE / min(width, height),
            ),
            1,
        )
        size = right - left, bottom - top
        small_size = tuple(math.ceil(side * scale) for side in size)
        image, edges = (
            None
            if whole is None
            else cv2.resize(
                whole[top:bottom, left:right],
                small_size,
                interpolation=cv2.INTER_AREA,
            )
            for whole in (image, edges)
        )
        moved = np.subtract(box, (left, top, left, top))
        inside = moved * np.divide(small_size, size)[[0, 1, 0, 1]]
        (small_box,) = pixel_boxes(inside[None], image.shape[:2]).tolist()
        share = self._vote_small(image, edges, tuple(small_box))
        share = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
        return share[y1 - top : y2 - top, x1 - left : x2 - left]

    def _vote_small(
        self, image: np.ndarray, edges: np.ndarray | None, box: Box
    ) -> np.ndarray:
        """The shares in the whole view of a box, ``(H, W)`` float64."""
        size = image.shape[:2]
        boxes = perturbed_boxes(box, size, self.cuts, self.seed)
        margins = np.random.default_rng(self.seed % 2**32).uniform(
            _LEAST_MARGIN, _LARGEST_MARGIN, self.cuts
        )
        votes = np.zeros(size)
        for i, (other, margin) in enumerate(zip(boxes, margins, strict=True)):
            x1, y1, x2, y2 = other
            votes[y1:y2, x1:x2] += self._cut(
                image, edges, other, margin, self.seed + i
            )
        return votes / self.cuts

    def _cut(
        self,
        image: np.ndarray,
        edges: np.ndarray | None,
        box: Box,
        margin: float,
        seed: int,
    ) -> np.ndarray:
        """The foreground of a box, given what lies around it.

        Returns:
            ``(h, w)`` bool.
        """
        left, top, right, bottom = grow_box(box, margin, image.shape[:2])
        rows, columns = slice(top, bottom), slice(left, right)

        def make_grab_cut(part: np.ndarray) -> ExactGrabCut:
            if edges is None:
                return ExactGrabCut(part)
            return ExactGrabCut(
                part, edges[rows, columns], self.boundary_scale
            )

        cut = BoxCut(image[rows, columns], make_grab_cut, self.iterations)
        x1, y1, x2, y2 = box
        return cut((x1 - left, y1 - top, x2 - left, y2 - top), seed)[0]
