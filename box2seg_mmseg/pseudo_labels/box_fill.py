"""The Box baseline: every box is filled with its class."""

import numpy as np

from .pseudo_label import Box, PseudoLabeler, Segmenter


class BoxFill(PseudoLabeler):
    """Fills each box with its class: the paper's Box baseline [S]."""

    def _segmenter(self, image: np.ndarray) -> Segmenter:
        return _fill


def _fill(box: Box) -> tuple[np.ndarray, None]:
    x1, y1, x2, y2 = box
    return np.ones((y2 - y1, x2 - x1), bool), None
