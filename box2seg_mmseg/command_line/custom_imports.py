"""``--custom-import``: user code that adds methods and formats of its own."""

import sys
from argparse import ArgumentParser
from importlib import import_module


def add_custom_imports(parser: ArgumentParser) -> None:
    """Import the modules that the command line names, and add the option.

    The modules must be imported before the choices of ``--method`` and
    ``--format`` are known, so this looks at the command line before the
    parser does. A module is searched for in the current folder too. A second
    call for the same parser does nothing.

    Args:
        parser: Gets the option; a module that cannot be imported is reported
            as wrong use.
    """
    option = '--custom-import'
    if option in parser.format_usage():
        return
    early = ArgumentParser(add_help=False, allow_abbrev=False)
    for one in (early, parser):
        one.add_argument(
            option,
            action='append',
            default=[],
            metavar='MODULE',
            help='Python module to import first, which registers labelers or '
            'box formats of your own; may be repeated',
        )
    if '' not in sys.path:
        sys.path.append('')  # the current folder
    for name in early.parse_known_args()[0].custom_import:
        try:
            import_module(name)
        except Exception as error:
            if '--debug' in sys.argv:
                raise
            parser.error(f'{option} {name}: {error}')
