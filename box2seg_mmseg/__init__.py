"""Box2Seg: semantic segmentation from bounding boxes, for mmsegmentation.

Importing the package registers its datasets, transforms, decode head, losses,
hooks, metric and optimizer wrapper with mmseg's registries. This imports torch
and takes seconds, so the package's own commands do it after they have parsed
their arguments (:func:`box2seg_mmseg.command_line.run`): their ``--help`` is
fast.
"""

from .installed import is_own_command
from .version import __version__

__all__ = ['__version__', 'register_all_modules']


def register_all_modules() -> None:
    """Register everything with mmseg's registries; a second call does nothing.

    Importing the package does this, except in the package's own commands.

    Raises:
        ToolboxError: The installed torch, mmseg, mmcv or mmengine is
            incompatible.
    """
    from . import (  # noqa: F401
        checked_toolbox,
        compatibility,
        config_scope,
        datasets,
        engine,
        evaluation,
        models,
    )


if not is_own_command():
    register_all_modules()
