"""The command ``box2seg``, the same as ``python -m box2seg_mmseg``."""

import runpy
import sys
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from . import __version__, register_all_modules
from .errors import UsageError
from .installed import find_config, find_tools, first_line
from .toolbox import ToolboxError, require_toolbox

STOCK_TOOLS = {
    'train': "Train a model with mmsegmentation's tools/train.py.",
    'test': "Test a model with mmsegmentation's tools/test.py.",
}


def stock_tool(name: str) -> Path:
    """The script of mmsegmentation's tool ``'train'`` or ``'test'``.

    Raises:
        ToolboxError: mmsegmentation is not installed.
    """
    spec = find_spec('mmseg')
    if spec is None or spec.origin is None:
        require_toolbox()  # which says how to install it
    return Path(spec.origin).parent / '.mim' / 'tools' / f'{name}.py'


def usage() -> str:
    """The text of ``box2seg --help``."""
    groups = {'tools': dict(STOCK_TOOLS)}
    for name, script in find_tools().items():
        group = script.parent.name  # 'tools' or a folder in it
        groups.setdefault(group, {})[name] = first_line(script)
    text = (
        'usage: box2seg TOOL ...\n\n'
        'Semantic segmentation from bounding boxes, for mmsegmentation.\n'
        '`box2seg TOOL --help` lists the options of a tool. A config is a '
        'file or the\nname of a shipped config, such as box2seg/FILE.py.'
    )
    for group, lines in groups.items():
        text += f'\n\n{group}:'
        text += ''.join(f'\n  {k:27}{line}' for k, line in lines.items())
    return text


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
            near = get_close_matches(name, [*STOCK_TOOLS, *tools], cutoff=0.5)
            raise UsageError(
                f'{name}: no such tool; did you mean '
                f'{" or ".join(near) or "one of box2seg --help"}?'
            )
        else:
            raise UsageError('name a tool; see box2seg --help')
    except (UsageError, ToolboxError) as error:
        print(f'box2seg: error: {error}', file=sys.stderr)
        raise SystemExit(2) from None


def _run_stock_tool(script: Path, arguments: list[str]) -> None:
    """Run train.py or test.py on a file or an installed config."""
    register_all_modules()
    sys.argv = [str(script), *arguments]
    config = runpy.run_path(str(script))['parse_args']().config
    arguments[arguments.index(config)] = str(find_config(config))
    _run(script, arguments)


def _run(script: Path, arguments: list[str]) -> None:
    """Run a script as ``python SCRIPT`` does.

    Modules of the working directory can be imported too, as with
    ``python -m``, so that a config may name the user's own.
    """
    sys.argv = [str(script), *arguments]
    sys.path[:1] = [str(script.parent), str(Path.cwd())]
    runpy.run_path(str(script), run_name='__main__')


if __name__ == '__main__':
    main()
