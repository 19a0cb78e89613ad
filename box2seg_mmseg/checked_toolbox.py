"""Checks torch and mmseg; packages that need them import this first."""

from .toolbox import require_toolbox

require_toolbox()
