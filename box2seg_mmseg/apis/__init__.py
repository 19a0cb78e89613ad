"""High-level functions: label, predict, compare, export."""
