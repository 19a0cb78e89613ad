"""The mask of cv2.grabCut in a fraction of its time.

OpenCV computes the contrast of the image, the links between pixels and the
whole flow again in each iteration or call; this package keeps them. Only the
pixels that the mask leaves open are nodes of the graph. The others are merged
into its terminals.
"""

from .compiled import announcing_compilation
from .segmenter import ExactGrabCut

__all__ = ['ExactGrabCut', 'announcing_compilation']
