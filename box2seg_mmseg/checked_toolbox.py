"""Checks torch, mmseg, mmcv and mmengine when it is imported.

The packages that import mmseg import this first, so that a toolbox that
cannot work gives one clear error.
"""

from .toolbox import require_toolbox

require_toolbox()
