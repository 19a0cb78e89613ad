import ast
import subprocess
import sys
from pathlib import Path

import pytest

from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.installed import (
    find_config,
    find_tools,
    first_line,
    installed_files,
)

ROOT = Path(__file__).resolve().parent.parent
(SHIPPED,) = (
    path.relative_to(ROOT / 'configs').as_posix()
    for path in (ROOT / 'configs').glob('scenes/box2seg_*.py')
)


def _run(*words, cwd=None):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def test_configs_and_tools_are_found_in_a_checkout():
    assert installed_files('configs').samefile(ROOT / 'configs')
    assert installed_files('tools').samefile(ROOT / 'tools')
    assert (ROOT / 'box2seg_mmseg/.mim/model-index.yml').is_file()


def test_a_config_is_a_file_or_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = ROOT / 'configs' / SHIPPED
    assert find_config(SHIPPED) == shipped
    assert find_config(SHIPPED.removesuffix('.py')) == shipped
    own = tmp_path / SHIPPED
    own.parent.mkdir()
    own.write_text('')
    assert find_config(SHIPPED) == Path(SHIPPED)  # the user's own comes first


def test_an_unknown_config_names_the_nearest():
    with pytest.raises(UsageError, match='no such config') as error:
        find_config('scenes/box2seg_upernet_r18.py')
    assert SHIPPED in str(error.value) and '\n' not in str(error.value)


def test_every_script_is_a_tool_with_a_name_of_its_own():
    scripts = [
        path
        for path in (ROOT / 'tools').rglob('[!_]*.py')
        if any(
            isinstance(node, ast.If) and '__main__' in ast.unparse(node.test)
            for node in ast.parse(path.read_text()).body
        )
    ]
    tools = find_tools()
    assert sorted(tools.values()) == sorted(scripts)
    assert len({path.stem for path in scripts}) == len(scripts)
    assert not {'train', 'test'} & set(tools)
    for path in scripts:
        assert first_line(path).endswith('.')


def test_help_lists_every_tool_and_imports_no_torch():
    done = _run('-X', 'importtime', '-m', 'box2seg_mmseg', '--help')
    assert done.returncode == 0
    for name, script in find_tools().items():
        assert f'  {name} ' in done.stdout
        assert f' {first_line(script)}\n' in f'{done.stdout}\n'
    modules = {line.split('|')[-1].strip() for line in done.stderr.split('\n')}
    assert 'box2seg_mmseg.installed' in modules
    assert not modules & {'torch', 'mmseg', 'mmengine', 'numpy'}


@pytest.mark.slow
@pytest.mark.parametrize('tool', sorted(find_tools()))
def test_help_of_a_tool_imports_no_torch(tool):
    done = _run('-X', 'importtime', '-m', 'box2seg_mmseg', tool, '--help')
    assert done.returncode == 0 and 'usage: ' in done.stdout
    modules = {line.split('|')[-1].strip() for line in done.stderr.split('\n')}
    assert not modules & {'torch', 'mmseg', 'mmengine'}


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', ['box2seg.py', 'train.py', 'tools/predict.py']
)
def test_importing_registers_in_every_script_of_a_user(name, tmp_path):
    script = tmp_path / name
    script.parent.mkdir(exist_ok=True)
    script.write_text(
        'import box2seg_mmseg\n'
        'from mmengine.registry import MODELS\n'
        'assert MODELS.get("mmseg.Box2SegHead") is not None\n'
    )
    done = _run(script)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_importing_registers_in_a_users_module(tmp_path):
    package = tmp_path / 'mine'
    package.mkdir()
    (package / '__init__.py').write_text('import box2seg_mmseg\n')
    (package / '__main__.py').write_text(
        'from mmengine.registry import MODELS\n'
        'assert MODELS.get("mmseg.Box2SegHead") is not None\n'
    )
    done = _run('-m', 'mine', '-m', 'box2seg_mmseg', cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ('words', 'text'),
    [
        ([], 'name a tool'),
        (['prdict'], 'did you mean predict'),
        (['train', 'scenes/box2seg_upernet_r18.py'], SHIPPED),
    ],
)
def test_wrong_names_give_one_line(words, text):
    done = _run('-m', 'box2seg_mmseg', *words)
    assert done.returncode == 2
    assert text in done.stderr and done.stderr.count('\n') == 1


@pytest.mark.slow
def test_a_tool_runs_as_python_runs_it(tmp_path):
    """Its folder comes first on the path, then the working directory."""
    (tmp_path / 'mine.py').write_text('print("mine")\n')
    done = _run('-m', 'box2seg_mmseg', 'cost', 'crf', '--help', cwd=tmp_path)
    assert done.returncode == 0, done.stderr  # imports modules beside it
    code = (
        'import sys\n'
        'from pathlib import Path\n'
        'from box2seg_mmseg.__main__ import _run\n'
        'script = Path("a/tool.py").resolve()\n'
        '_run(script, ["x"])\n'
    )
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/tool.py').write_text(
        'import sys, mine\n'
        'assert __name__ == "__main__"\n'
        'print(sys.argv, sys.path[:2])\n'
    )
    done = _run('-c', code, cwd=tmp_path)
    script = tmp_path / 'a/tool.py'
    assert done.stdout == (
        f'mine\n{[str(script), "x"]} {[str(script.parent), str(tmp_path)]}\n'
    )
