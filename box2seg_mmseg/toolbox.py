"""Checks that the installed OpenMMLab packages can run the plugin."""

import io
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from packaging.version import Version

STACKS: dict[str, dict[str, tuple[str, str | None]]] = {
    'onedl': {
        'onedl-mmsegmentation': ('1.4.2', None),
        'onedl-mmcv': ('2.3.6', None),
        'onedl-mmengine': ('0.10.12', None),
    },
    'openmmlab': {
        'mmsegmentation': ('1.2.2', None),
        'mmcv': ('2.1.0', '2.2.0'),
        'mmengine': ('0.10.7', None),
    },
}
"""The distributions of each stack, with the oldest version and the first one
that is too new. The extras in ``pyproject.toml`` name the same versions."""

# onedl-mmsegmentation needs numpy 2, with which torch works from 2.3 on.
OLDEST_TORCH = {'onedl': '2.3', 'openmmlab': '2.1'}

# Commands to run before `pip install`, by stack: mmcv 2.1 has no wheels for
# today's torch, and its build needs pkg_resources.
PREPARATION = {
    'onedl': '',
    'openmmlab': 'pip install "setuptools<81" wheel && FORCE_CUDA=0 '
    'MMCV_WITH_OPS=1 pip install --no-build-isolation --no-deps mmcv==2.1.0'
    ' && ',
}


class ToolboxError(ImportError):
    """The OpenMMLab packages are missing, mixed, too old or broken."""


def requirements(stack: str) -> list[str]:
    """The pip requirements of a stack, such as ``mmcv>=2.1.0,<2.2.0``."""
    return [
        f'{name}>={low}' + (f',<{high}' if high else '')
        for name, (low, high) in STACKS[stack].items()
    ]


def find_stack(installed: Mapping[str, str]) -> str:
    """The stack, ``'onedl'`` or ``'openmmlab'``, of installed versions.

    Raises:
        ToolboxError: Neither stack is complete and in range, or parts of
            both are installed.
    """
    present = [s for s in STACKS if any(n in installed for n in STACKS[s])]
    if len(present) > 1:
        names = ' '.join(n for n in STACKS['openmmlab'] if n in installed)
        raise _error(
            installed,
            'only one stack, because both provide the same modules',
            f'pip uninstall -y {names} && pip install --force-reinstall '
            + _quoted('onedl'),
        )
    stack = present[0] if present else 'onedl'
    for name, (low, high) in STACKS[stack].items():
        found = Version(installed.get(name, '0'))
        if found < Version(low) or (high and found >= Version(high)):
            raise _error(
                installed,
                ', '.join(requirements(stack)),
                f'{PREPARATION[stack]}pip install {_quoted(stack)}',
            )
    return stack


def require_toolbox() -> None:
    """Raise one clear error if the installed packages are incompatible.

    Raises:
        ToolboxError: torch or a package of the stack is missing, mixed with
            the other stack, out of range or fails to import. The message
            names what was found, what is needed and the pip command.
    """
    installed = {}
    for name in ('torch', *(n for stack in STACKS.values() for n in stack)):
        with suppress(PackageNotFoundError):
            installed[name] = version(name)
    stack = find_stack(installed)
    if Version(installed.get('torch', '0')) < Version(OLDEST_TORCH[stack]):
        torch = f'torch>={OLDEST_TORCH[stack]}'
        raise _error(installed, torch, f'pip install "{torch}"')
    try:
        # mmcv warns that its compiled ops are missing, which no model here
        # needs, and mmseg prints a note on an optional package.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.filterwarnings('ignore', 'Fail to import')
            import_module('mmseg.models')
            import_module('mmseg.datasets')
    except Exception as error:  # a broken package raises anything
        raise _error(
            installed,
            f'an mmseg that can be imported (import mmseg fails: {error})',
            f'{PREPARATION[stack]}pip install --force-reinstall '
            f'{_quoted(stack)} ftfy regex',
        ) from error


def _quoted(stack: str) -> str:
    return ' '.join(f'"{item}"' for item in requirements(stack))


def _error(
    installed: Mapping[str, str], needed: str, command: str
) -> ToolboxError:
    found = ', '.join(f'{k} {v}' for k, v in installed.items()) or 'nothing'
    return ToolboxError(
        'box2seg_mmseg is incompatible with the installed OpenMMLab '
        f'packages.\n  found:  {found}\n  needed: {needed}\n'
        f'  fix:    {command}'
    )
