"""The command ``box2seg``, the same as ``python -m box2seg_mmseg``."""

import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from . import __version__, register_all_modules
from .errors import UsageError
from .installed import find_config, find_tools, first_line

STOCK_TOOLS = {
    'train': "Train a model with mmsegmentation's tools/train.py.",
    'test': "Test a model with mmsegmentation's tools/test.py.",
}


def stock_tool(name: str) -> Path:
    """Path of a stock tool of the installed mmsegmentation.

    Args:
        name: ``'train'`` or ``'test'``.

    Returns:
        Path of its script.

    Raises:
        UsageError: mmsegmentation is not installed.
    """
    spec = find_spec('mmseg')
    if spec is None or spec.origin is None:
        raise UsageError(
            "mmsegmentation is not installed; pip install 'box2seg-mmseg"
            "[onedl]'"
        )
    return Path(spec.origin).parent / '.mim' / 'tools' / f'{name}.py'


def usage() -> str:
    """The text of ``box2seg --help``."""
    tools = STOCK_TOOLS | {
        name: first_line(script) for name, script in find_tools().items()
    }
    lines = '\n'.join(f'  {name:28}{text}' for name, text in tools.items())
    return (
        'usage: box2seg TOOL ...\n\n'
        'Semantic segmentation from bounding boxes, for mmsegmentation.\n'
        '`box2seg TOOL --help` describes the options of a tool. A config is '
        'a file, or\none that comes with the package, such as '
        'box2seg/NAME.py.\n\n'
        f'tools:\n{lines}'
    )


def main() -> None:
    """Run the tool that the command line names.

    Exit status: that of the tool; 2 if there is no such tool or config.
    """
    name, *arguments = sys.argv[1:] or ['']
    if name in ('-h', '--help'):
        print(usage())
        return
    if name == '--version':
        print(__version__)
        return
    tools = find_tools()
    try:
        if name in STOCK_TOOLS:
            _run_stock_tool(stock_tool(name), arguments)
        elif name in tools:
            _run(tools[name], arguments)
        elif name:
            raise UsageError(f'no such tool: {name}; see box2seg --help')
        else:
            raise UsageError('name a tool; see box2seg --help')
    except UsageError as error:
        print(f'box2seg: error: {error}', file=sys.stderr)
        raise SystemExit(2) from None


def _run_stock_tool(script: Path, arguments: list[str]) -> None:
    """Run train.py or test.py on a file or an installed config."""
    sys.argv = [str(script), *arguments]
    config = runpy.run_path(str(script))['parse_args']().config
    arguments[arguments.index(config)] = str(find_config(config))
    register_all_modules()
    _run(script, arguments)


def _run(script: Path, arguments: list[str]) -> None:
    """Run a script as ``python SCRIPT`` does.

    Modules of the working directory can be imported too, as with
    ``python -m``, so that a config may name the user's own.
    """
    sys.argv = [str(script), *arguments]
    sys.path[:1] = [str(script.parent), os.getcwd()]
    runpy.run_path(str(script), run_name='__main__')


if __name__ == '__main__':
    main()
