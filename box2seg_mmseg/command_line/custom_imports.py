"""Imports of user code that registers labelers or box sources."""

import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path


def add_custom_imports(parser: ArgumentParser) -> None:
    """Add ``--custom-import`` and import the modules that it names.

    Call it before adding options whose choices user code may extend: the
    modules are imported at once, from the command line of this process. One
    that cannot be imported ends the tool with a usage error. A second call
    for the same parser does nothing.
    """
    if parser.get_default('custom_import') is not None:
        return
    parser.add_argument(
        '--custom-import',
        action='append',
        default=[],
        metavar='MODULE',
        help='Python module to import first, found in the working directory '
        'or on PYTHONPATH. Classes that it registers become choices of '
        '--format and --method. May be repeated',
    )
    first = ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument('--custom-import', action='append', default=[])
    modules = first.parse_known_args()[0].custom_import
    if modules and (folder := str(Path.cwd())) not in sys.path:
        sys.path.append(folder)
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            if '--debug' in sys.argv:
                raise
            parser.error(
                f'--custom-import {module}: cannot be imported: '
                f'{type(error).__name__}: {error}'
            )
