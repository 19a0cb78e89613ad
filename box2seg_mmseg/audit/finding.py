"""What an audit of boxes finds."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]

MODES = ('missing', 'merged', 'misaligned')
"""The errors of boxes that the supplement names (Sec. 3 [S])."""


@dataclass(frozen=True)
class Finding:
    """One box, or one region without a box, and how suspicious it is.

    Args:
        mode: One of :data:`MODES`.
        score: In ``[0, 1]``; higher is more suspicious. Compare scores only
            within a mode.
        reason: What was seen, as a sentence without its full stop.
        image_id: The image.
        box: The box, or the region's bounding box; xyxy in pixels, half-open.
        index: Number of the box among those of the image, from 0; None for a
            region without a box.
        suggestion: Where the box should be, for a misaligned one.
    """

    mode: str
    score: float
    reason: str
    image_id: str
    box: Box
    index: int | None = None
    suggestion: Box | None = None
