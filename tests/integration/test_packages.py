"""Wheel, sdist and editable installation, each used in an empty folder."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from rendered_scenes import SCENE_CLASSES, write_scenes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    *('box2seg_mmseg', 'configs', 'tools'),
    *('pyproject.toml', 'setup.py', 'MANIFEST.in', 'constraints.txt'),
    *('README.md', 'CHANGELOG.md', 'LICENSE'),
)
# As few iterations as show that a training runs, of a network from scratch.
SHORT = (
    '--cfg-options',
    'train_cfg.max_iters=2',
    'default_hooks.checkpoint.interval=2',
    'default_hooks.logger.interval=1',
    'model.backbone.init_cfg=None',
)


def _call(command, **kwargs):
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **kwargs,
    )
    assert done.returncode == 0, f'{command}\n{done.stdout[-4000:]}'
    return done.stdout


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """What git has of the package, as a fresh clone has it."""
    path = tmp_path_factory.mktemp('clone')
    ignore = shutil.ignore_patterns('__pycache__')
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, path / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(source, path / name)
    return path


@pytest.fixture(scope='module')
def dist(checkout, tmp_path_factory):
    """A folder with the sdist, and the wheel that is built from it."""
    path = tmp_path_factory.mktemp('dist')
    command = [sys.executable, '-m', 'build', '--no-isolation']
    _call([*command, '--outdir', path, checkout])
    return path


@pytest.fixture(scope='module')
def install(tmp_path_factory):
    """Installs into a fresh environment; returns its folder of commands."""

    def install_(*what):
        path = tmp_path_factory.mktemp('venv')
        venv.create(path, symlinks=True)
        paths = dict(base=str(path), platbase=str(path))
        scheme = sysconfig.get_preferred_scheme('prefix')
        site = Path(sysconfig.get_path('purelib', scheme, paths))
        # torch and the others are those that are installed here. What their
        # folder's own .pth files add, such as this checkout, is not.
        here = {sysconfig.get_path(kind) for kind in ('purelib', 'platlib')}
        here |= {p for p in sys.path if p.endswith('site-packages')}
        (site / 'others.pth').write_text('\n'.join(sorted(here)))
        bin_ = Path(sysconfig.get_path('scripts', scheme, paths))
        command = [sys.executable, '-m', 'pip', '--python', bin_ / 'python']
        command += ['install', '--quiet', '--no-deps', '--ignore-installed']
        _call([*command, '--no-build-isolation', '--no-index', *what])
        return bin_

    return install_


def _environment(bin_):
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    return environment | {
        'PATH': f'{bin_}{os.pathsep}{os.environ["PATH"]}',
        'OMP_WAIT_POLICY': 'PASSIVE',
    }


def test_the_archives_are_complete(dist, checkout):
    _call(
        [sys.executable, '-m', 'twine', 'check', '--strict', *dist.iterdir()]
    )
    (wheel,), (sdist,) = dist.glob('*.whl'), dist.glob('*.tar.gz')
    expected = {
        f'box2seg_mmseg/.mim/{path.relative_to(checkout).as_posix()}'
        for folder in ('configs', 'tools')
        for path in (checkout / folder).rglob('*.py')
    }
    expected |= {
        'box2seg_mmseg/.mim/model-index.yml',
        'box2seg_mmseg/py.typed',
    }
    for archive in (wheel, sdist):
        folder = dist.with_name(f'{dist.name}-{archive.suffix}')
        shutil.unpack_archive(
            archive, folder, 'zip' if archive == wheel else 'gztar'
        )
        found = {
            path.relative_to(folder).as_posix()
            for path in folder.rglob('*')
            if path.is_file() and not path.is_symlink()
        }
        if archive == sdist:
            found = {name.partition('/')[2] for name in found}
        assert expected <= found
        assert not {name for name in found if name.startswith('tests/')}


@pytest.mark.parametrize('kind', ['*.whl', '*.tar.gz'])
def test_a_users_session(kind, dist, install, tmp_path, monkeypatch):
    """From photographs and boxes to masks and an exported model."""
    (archive,) = dist.glob(kind)
    bin_ = install(archive)
    environment = _environment(bin_)
    write_scenes(tmp_path / 'photos', num_train=6, num_val=2, side=64)
    shutil.move(
        tmp_path / 'photos/ImageSets/Segmentation/val.txt',
        tmp_path / 'photos/val.txt',
    )
    shutil.rmtree(tmp_path / 'photos/ImageSets')

    def box2seg(line, *words):
        command = [bin_ / 'box2seg', *line.split(), *words]
        output = _call(command, cwd=tmp_path, env=environment)
        for trouble in ('search registry', '.registry`', 'not installed'):
            assert trouble not in output
        return output

    where = 'import box2seg_mmseg.installed as m; print(m.__file__)'
    where = _call([bin_ / 'python', '-c', where], cwd='/', env=environment)
    assert Path(where.splitlines()[-1]).is_relative_to(bin_.parent)

    output = box2seg('config --data photos --out my.py')
    assert f'classes: {", ".join(sorted(SCENE_CLASSES))}' in output
    labels, train = (shlex.split(line) for line in output.splitlines()[-2:])
    # numba compiles again in each environment; one of the two is enough.
    backend = [] if kind == '*.whl' else ['--backend', 'opencv']
    box2seg('', *labels[1:], '--workers', '1', *backend)
    assert len(list(tmp_path.glob('photos/pseudo_labels/*.png'))) == 6
    output = box2seg('', *train[1:], *SHORT)
    assert 'Iter(train) [2/2]' in output
    checkpoint = 'work_dirs/my/iter_2.pth'
    assert 'mIoU' in box2seg(f'test my.py {checkpoint} --out masks')
    assert len(list(tmp_path.glob('masks/*.png'))) == 2
    box2seg(f'predict my.py {checkpoint} photos/JPEGImages --out predicted')
    assert len(list(tmp_path.glob('predicted/masks/*.png'))) == 8
    box2seg(f'export_segmentor my.py {checkpoint} exported')
    assert (tmp_path / 'exported/segmentor.pth').is_file()

    if kind != '*.whl':
        return
    # mmseg's own tool takes the config in one file.
    box2seg('config my.py --out whole.py')
    tool = 'import mmseg; print(mmseg.__path__[0])'
    mmseg = _call([sys.executable, '-c', tool]).splitlines()[-1]
    command = [bin_ / 'python', f'{mmseg}/.mim/tools/train.py', 'whole.py']
    output = _call(
        [*command, '--work-dir', 'whole', *SHORT],
        cwd=tmp_path,
        env=environment,
    )
    assert 'Iter(train) [2/2]' in output


def test_an_editable_installation(checkout, install, tmp_path):
    bin_ = install('--editable', checkout)
    environment = _environment(bin_)
    output = _call([bin_ / 'box2seg', '--help'], env=environment)
    assert '  generate_pseudo_labels ' in output
    (config,) = (checkout / 'configs/scenes').glob('box2seg_*.py')
    (tmp_path / 'my.py').write_text(
        f"_base_ = 'box2seg_mmseg::scenes/{config.name}'\n"
    )
    _call(
        [bin_ / 'box2seg', 'config', 'my.py', '--out', 'whole.py'],
        cwd=tmp_path,
        env=environment,
    )
    assert "'Box2SegHead'" in (tmp_path / 'whole.py').read_text()
