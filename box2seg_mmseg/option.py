"""How a class declares the command-line options for its arguments."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Option(NamedTuple):
    """The command-line option of a constructor argument.

    Box sources and labelers list them in ``options``.

    Args:
        name: The argument, such as ``'ignore_unstable'``.
        type: Converts the text of the command line; raises ValueError for
            text that it does not accept. The class checks the range.
        help: One line for ``--help``, with the default.
        given_flag: The option as it is typed. Defaults to the name:
            ``'--ignore-unstable'``.
    """

    name: str
    type: Callable[[str], Any]
    help: str
    given_flag: str | None = None

    @property
    def flag(self) -> str:
        """The option as it is typed; classes may share one."""
        return self.given_flag or '--' + self.name.replace('_', '-')
