"""Box2Seg: semantic segmentation from bounding boxes, for mmsegmentation.

Importing the package registers its datasets, transforms, decode head, losses,
hooks, metric and optimizer wrapper with mmseg's registries.
"""

from .toolbox import require_toolbox

require_toolbox()

from . import datasets, engine, evaluation, models  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
