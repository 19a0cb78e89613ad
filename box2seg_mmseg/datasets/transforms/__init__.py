"""Transforms that load or make boxes and pseudo labels, and pack them."""
