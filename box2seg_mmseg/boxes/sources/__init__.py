"""One module for each annotation format, and their base class."""
