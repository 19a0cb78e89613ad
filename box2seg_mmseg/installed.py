"""The configs and tools that come with the package.

Imports neither torch nor mmseg, so that commands start quickly.
"""

import ast
import sys
from difflib import get_close_matches
from pathlib import Path

from .errors import UsageError

_MIM = Path(__file__).parent / '.mim'


def installed_files(kind: str) -> Path:
    """The folder of the installed ``'configs'`` or ``'tools'``.

    It is in the package, or in the checkout for an editable installation.
    """
    return (_MIM / kind).resolve()


def find_config(name: str | Path) -> Path:
    """The file of a config.

    Args:
        name: Path of a config, which comes first, or of an installed one
            relative to their folder, such as ``custom/box2seg_....py``. The
            latter may lack the suffix.

    Raises:
        UsageError: There is neither. The message names similar configs.
    """
    if Path(name).is_file():
        return Path(name)
    folder = installed_files('configs')
    path = folder / f'{str(name).removesuffix(".py")}.py'
    if path.is_file():
        return path
    names = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*.py')
        if '_base_' not in path.parts
    ]
    near = get_close_matches(str(name), names, cutoff=0.3)
    raise UsageError(
        f'{name}: no such file and no such config of box2seg_mmseg; did you '
        f'mean {" or ".join(near) or "one of configs/ in the package"}?'
    )


def find_tools() -> dict[str, Path]:
    """The scripts of the installed tools by name, sorted.

    Modules and scripts that only other tools use are left out; the names of
    such scripts start with an underscore.
    """
    scripts = (
        path
        for path in installed_files('tools').rglob('[!_]*.py')
        if "\nif __name__ == '__main__':\n" in path.read_text('utf-8')
    )
    return {path.stem: path for path in sorted(scripts, key=lambda p: p.stem)}


def first_line(script: Path) -> str:
    """The first line of a script's docstring, without importing it."""
    text = ast.get_docstring(ast.parse(script.read_text('utf-8')))
    return (text or '').partition('\n')[0]


def is_own_command() -> bool:
    """Whether this process is one of the package's own commands.

    These are ``box2seg``, ``python -m box2seg_mmseg`` and the tools.
    """
    program = sys.argv[0] if sys.argv else ''
    if program == '-m':  # python sets the path only after it has imported us
        return sys.orig_argv[-len(sys.argv) - 1 :][:2] == ['-m', __package__]
    if Path(program).name in ('box2seg', 'box2seg.exe'):
        return True
    return Path(program).resolve().is_relative_to(installed_files('tools'))
