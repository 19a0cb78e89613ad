"""How a labeler declares its command-line options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """One argument of a labeler that the command line offers.

    Args:
        name: The argument; ``ignore_unstable`` becomes
            ``--ignore-unstable``.
        type: Converts the text of the command line; raises ValueError for
            text that it does not accept. The labeler checks the range.
        help: One line for ``--help``, with the default.
    """

    name: str
    type: Callable[[str], Any]
    help: str

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return '--' + self.name.replace('_', '-')
