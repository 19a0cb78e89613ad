"""Turns Sphinx roles in docstrings into Markdown, for the API reference."""

import re
from typing import Any

import griffe

_ROLE = re.compile(r':(?:attr|class|func|meth|mod):`~?([^`]+)`')


class ApiMarkup(griffe.Extension):
    """A griffe extension; mkdocs.yml names it."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Replace the roles in the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(r'`\1`', obj.docstring.value)
