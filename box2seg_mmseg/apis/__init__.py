"""High-level functions: predict with a model, export it."""

from .. import checked_toolbox  # noqa: F401
