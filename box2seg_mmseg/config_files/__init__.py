"""Config files: writing them, and inheriting the shipped ones."""
