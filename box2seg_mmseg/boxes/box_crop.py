"""A box of a photograph, cut out with its surroundings for a network."""

import math
from functools import cached_property

import cv2
import numpy as np

_ON_BORDER = 128  # in the distance map


class BoxCrop:
    """The surroundings of a box, squeezed to a square.

    Deep GrabCut (Xu et al., BMVC 2017) gives its network the photograph and
    the distance of each pixel to the border of the box. The crop around the
    box, so that small objects are seen as large as others, and distances in
    pixels of the squeezed crop are our choice.

    Args:
        box: xyxy in pixels, half-open, inside the image.
        size: ``(H, W)`` of the image in pixels.
        side: Width and height of the crop in pixels.
        margin: What the crop shows on each side of the box, as a share of the
            box's width and height, where the image does not end before.

    Attributes:
        window: The part of the image that the crop shows, xyxy in whole
            pixels, half-open.
    """

    def __init__(
        self,
        box: tuple[float, float, float, float],
        size: tuple[int, int],
        side: int = 256,
        margin: float = 0.25,
    ) -> None:
        x1, y1, x2, y2 = box
        dx, dy = margin * (x2 - x1), margin * (y2 - y1)
        self.box = box
        self.side = side
        self.window = (
            max(math.floor(x1 - dx), 0),
            max(math.floor(y1 - dy), 0),
            min(math.ceil(x2 + dx), size[1]),
            min(math.ceil(y2 + dy), size[0]),
        )

    def image(self, image: np.ndarray) -> np.ndarray:
        """The network's input: the photograph and the distance map.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.

        Returns:
            ``(side, side, 4)`` uint8: RGB and :attr:`distance_map`. The data
            preprocessor reorders the colours of images of three channels
            only.
        """
        part = self.cut(image)
        shrinks = min(part.shape[:2]) >= self.side
        crop = self._squeeze(
            part[..., ::-1], cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return np.dstack([crop, self.distance_map])

    def label(self, label_map: np.ndarray) -> np.ndarray:
        """The ``(H, W)`` uint8 label map as ``(side, side)`` uint8."""
        return self._squeeze(self.cut(label_map), cv2.INTER_NEAREST_EXACT)

    @cached_property
    def distance_map(self) -> np.ndarray:
        """The distance of each pixel to the border of the box.

        ``(side, side)`` uint8: 128 minus the distance inside the box, 128
        plus the distance outside, cut off at 0 and 255.
        """
        left, top, right, bottom = self.window
        x1, y1, x2, y2 = self.box
        x = _past_ends(x1 - left, x2 - left, right - left, self.side)
        y = _past_ends(y1 - top, y2 - top, bottom - top, self.side)[:, None]
        outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0))
        distance = np.where(outside > 0, outside, np.maximum(x, y))
        return np.clip(np.rint(_ON_BORDER + distance), 0, 255).astype(np.uint8)

    def paste(self, values: np.ndarray) -> np.ndarray:
        """Scale a map of the crop back to the pixels of the window.

        Args:
            values: ``(h', w')`` float32 of any size.

        Returns:
            ``(h, w)`` float32, interpolated, the size of the window.
        """
        left, top, right, bottom = self.window
        return cv2.resize(values, (right - left, bottom - top))

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The window of an image, ``(h, w, ...)``, as a view."""
        left, top, right, bottom = self.window
        return image[top:bottom, left:right]

    def inside(self, values: np.ndarray) -> np.ndarray:
        """What lies in the box of a map of the window, as a view.

        Args:
            values: ``(h, w)``, the size of the window. The box must be given
                in whole pixels.
        """
        left, top, _, _ = self.window
        x1, y1, x2, y2 = self.box
        return values[y1 - top : y2 - top, x1 - left : x2 - left]

    def _squeeze(self, image: np.ndarray, interpolation: int) -> np.ndarray:
        return cv2.resize(
            np.ascontiguousarray(image),
            (self.side, self.side),
            interpolation=interpolation,
        )


def _past_ends(start: float, end: float, length: int, side: int) -> np.ndarray:
    """How far the middle of each pixel lies outside a range of its row.

    Args:
        start: Where the range starts, in pixels of the image.
        end: Where it ends.
        length: Length of the row in pixels of the image.
        side: Its length in pixels of the crop.

    Returns:
        ``(side,)`` float64 in pixels of the crop, negative inside the range.
    """
    middles, scale = np.arange(side) + 0.5, side / length
    return np.maximum(start * scale - middles, middles - end * scale)
