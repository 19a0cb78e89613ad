"""High-level functions: label, predict, compare, export."""

from .. import checked_toolbox  # noqa: F401
