"""Outlines of masks as polygons, for annotation tools and YOLO."""

from itertools import pairwise

import cv2
import numpy as np
from scipy.spatial import KDTree


def mask_outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outline of each component of a mask, along the edges of its pixels.

    Pixels that touch at a corner belong to one component. Holes, and what
    lies in them, are filled.

    Args:
        mask: ``(H, W)`` bool.

    Returns:
        For each component, from top to bottom, an ``(N, 2)`` int array of
        corners, xy in pixels, ``N >= 4``. The pixel in column ``x`` covers
        ``x .. x + 1``.
    """
    # Each pixel becomes 2 x 2. Their centres lie on both sides of an edge, so
    # those on the outline round to the edge itself.
    double = np.repeat(np.repeat(mask.astype(np.uint8), 2, 0), 2, 1)
    found, _ = cv2.findContours(
        double, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outlines = [_corners((contour[:, 0] + 1) // 2) for contour in found]
    return sorted(outlines, key=lambda corners: corners[:, ::-1].tolist())


def _corners(ring: np.ndarray) -> np.ndarray:
    """The points of a closed outline at which it turns."""
    ring = ring[(ring != np.roll(ring, -1, 0)).any(1)]
    steps = np.roll(ring, -1, 0) - ring
    return ring[(steps != np.roll(steps, 1, 0)).any(1)]


def join_outlines(outlines: list[np.ndarray]) -> np.ndarray:
    """One outline around all components, for formats that allow only one.

    The shortest line between corners joins each component to those joined
    before it. The outline follows the line forth and back, so it encloses
    nothing more. Ultralytics' converter of COCO's polygons does the same with
    components that follow each other; the nearest one first is our choice.

    Args:
        outlines: At least one ``(N, 2)`` array of corners.

    Returns:
        ``(M, 2)`` corners.
    """
    corners = np.concatenate(outlines)
    ends = np.cumsum([0, *map(len, outlines)])
    parts = [list(range(*pair)) for pair in pairwise(ends.tolist())]
    part_of = np.repeat(np.arange(len(parts)), np.diff(ends))
    # Of each corner outside: the nearest corner of the ring, and how far.
    nearest = np.zeros(len(corners), np.int64)
    distance = np.full(len(corners), np.inf)
    ring = new = parts[0]
    outside = np.arange(len(corners))
    while True:
        outside = outside[part_of[outside] != part_of[new[0]]]
        if not len(outside):
            return corners[ring]
        gaps, at = KDTree(corners[new]).query(corners[outside])
        closer = gaps < distance[outside]
        nearest[outside[closer]] = np.take(new, at[closer])
        distance[outside[closer]] = gaps[closer]
        first = outside[distance[outside].argmin()]
        new = parts[part_of[first]]
        start, at = new.index(first), ring.index(nearest[first])
        loop = [*new[start:], *new[: start + 1]]
        ring = [*ring[: at + 1], *loop, *ring[at:]]
