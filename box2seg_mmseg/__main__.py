"""``python -m box2seg_mmseg train|test ...``: mmseg's own command lines."""

import runpy
import sys
from pathlib import Path

import mmseg

USAGE = """usage: python -m box2seg_mmseg {train,test} CONFIG ...

Runs tools/train.py or tools/test.py of the installed mmsegmentation,
unchanged, with all that follows. Add --help for their options."""


def stock_tool(name: str) -> Path:
    """Path of a stock tool of the installed mmsegmentation.

    Args:
        name: ``'train'`` or ``'test'``.

    Returns:
        Path of its script.
    """
    return Path(mmseg.__file__).parent / '.mim' / 'tools' / f'{name}.py'


def main() -> None:
    """Hand the command line to a stock tool."""
    if len(sys.argv) < 2 or sys.argv[1] not in ('train', 'test'):
        wants_help = sys.argv[1:] in (['-h'], ['--help'])
        print(USAGE, file=sys.stdout if wants_help else sys.stderr)
        raise SystemExit(0 if wants_help else 2)
    script = stock_tool(sys.argv.pop(1))
    sys.argv[0] = str(script)
    runpy.run_path(str(script), run_name='__main__')


if __name__ == '__main__':
    main()
