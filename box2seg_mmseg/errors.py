"""Errors that mean wrong use rather than bad data."""


class UsageError(ValueError):
    """The caller asked for something impossible: exit status 2 in a tool."""
