"""The Box baseline: every box is filled with its class."""

import numpy as np

from .pseudo_label import PseudoLabeler


class BoxFill(PseudoLabeler):
    """Fills each box with its class: the paper's Box baseline [S]."""

    def _segment(
        self, image: np.ndarray, box: tuple[int, int, int, int]
    ) -> tuple[np.ndarray, None]:
        x1, y1, x2, y2 = box
        return np.ones((y2 - y1, x2 - x1), bool), None
