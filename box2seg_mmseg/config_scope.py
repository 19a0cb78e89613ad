"""Lets any config inherit ours: ``_base_ = 'box2seg_mmseg::...'``.

Importing the module tells mmengine where our configs are, and where mmseg's
are for ``'mmseg::...'``. mmengine marks what a config inherits in this way
with ``_scope_='box2seg_mmseg'`` and builds it with the registries of that
scope. Ours are empty children of mmseg's, which they fall back to.
"""

import mmengine.registry
import mmseg.registry  # noqa: F401, the parents of ours
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry

from .compatibility import find_stock_configs

SCOPE = 'box2seg_mmseg'

# mmengine looks a distribution up by its metadata, which does not lead to the
# sources of an editable installation. Given a module, it takes the module's
# folder, here that of the package.
MODULE2PACKAGE[SCOPE] = 'box2seg_mmseg.version'
find_stock_configs()

for root in list(vars(mmengine.registry).values()):
    if not isinstance(root, Registry):
        continue
    parent = root.children.get('mmseg', root)
    if SCOPE not in parent.children:  # a registry may have two names there
        parent.import_from_location()  # lookups in children do not do this
        Registry(
            root.name,
            parent=parent,
            scope=SCOPE,
            locations=[SCOPE],  # else mmengine warns of no SCOPE.utils
        )
