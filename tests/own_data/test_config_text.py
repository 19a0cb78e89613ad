import json
import runpy
import shlex

import pytest
from mmengine.config import Config
from own_data.config_text import (
    BASE,
    next_commands,
    write_own_config,
    write_shipped_config,
)
from own_data.folder import find_own_data
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.installed import find_config, find_tools, installed_files

CONFIGS = installed_files('configs')
(SCENES,) = (
    path.relative_to(CONFIGS).as_posix()
    for path in CONFIGS.glob('scenes/box2seg_*.py')
)


@pytest.fixture
def photos(scenes, tmp_path):
    """Photographs of five classes with XML files and nothing else."""
    root = tmp_path / 'my photos'
    root.mkdir()
    for name in ('JPEGImages', 'Annotations'):
        (root / name).symlink_to(scenes / name)
    (root / 'classes.txt').write_text('\n'.join(SCENE_CLASSES))
    return root


def test_a_config_for_own_data(photos, tmp_path):
    data = find_own_data(photos)
    out = tmp_path / 'mine.py'
    lines = write_own_config(data, out)
    assert lines == [f'wrote {photos}/train.txt (20 lines)', f'wrote {out}']
    assert len((photos / 'train.txt').read_text().split()) == 20
    check, label, train = map(shlex.split, next_commands(data, out))
    assert check[:3] == ['box2seg', 'check_dataset', str(photos)]
    assert label[:3] == ['box2seg', 'generate_pseudo_labels', str(photos)]
    assert label[3:-2] == check[3:] and label[-2] == '--out'
    run = runpy.run_path(str(find_tools()['check_dataset']))
    assert run['main'](run['parser']().parse_args(check[2:])) == 0
    assert train == [
        *('box2seg', 'train', str(out), '--work-dir', 'work_dirs/mine')
    ]

    config = Config.fromfile(out)
    classes = ['background', *SCENE_CLASSES]
    assert config.model.decode_head.decoder.num_classes == len(classes)
    assert config.model.decode_head.decoder.out_channels == len(classes)
    train = config.train_dataloader.dataset
    assert train.data_root == config.test_dataloader.dataset.data_root
    assert train.pseudo_label_dir == label[-1]
    assert train.ann_file == 'train.txt'
    for dataset in (train, config.test_dataloader.dataset):
        assert dataset.metainfo.classes == classes
        assert dataset.data_prefix.img_path == 'JPEGImages'
        assert dataset.img_suffix == '.jpg'
    base = Config.fromfile(find_config(BASE))
    assert config.optim_wrapper.optimizer == base.optim_wrapper.optimizer


def test_boxes_in_a_coco_file(photos, tmp_path):
    ids = [path.stem for path in (photos / 'JPEGImages').iterdir()]
    content = dict(
        images=[dict(id=n, file_name=f'{n}.jpg') for n in ids],
        annotations=[],
        categories=[dict(id=1, name=SCENE_CLASSES[0])],
    )
    (photos / 'all.json').write_text(json.dumps(content))
    data = find_own_data(photos, format='coco')
    write_own_config(data, tmp_path / 'mine.py')
    for command in next_commands(data, tmp_path / 'mine.py')[:2]:
        words = shlex.split(command)
        assert words[words.index('--boxes') + 1] == f'{photos}/all.json'
        assert words[words.index('--format') + 1] == 'coco'
    dataset = Config.fromfile(tmp_path / 'mine.py').train_dataloader.dataset
    assert dataset.box_source == dict(type='COCOJSON', box_file='all.json')


def test_images_of_several_suffixes(photos, tmp_path, capsys):
    ids = sorted(path.stem for path in (photos / 'JPEGImages').iterdir())
    folder = photos / 'images'
    folder.mkdir()
    for i, name in enumerate(ids):
        suffix = '.png' if i < 2 else '.jpg'
        (folder / name).with_suffix(suffix).touch()
    content = dict(
        images=[dict(id=p.name, file_name=p.name) for p in folder.iterdir()],
        annotations=[],
        categories=[dict(id=1, name=SCENE_CLASSES[0])],
    )
    (photos / 'boxes.json').write_text(json.dumps(content))
    tool = runpy.run_path(str(find_tools()['config']))
    words = ['--data', photos, '--format', 'coco', '--image-dir', 'images']
    words += ['--out', tmp_path / 'mine.py', '--overwrite']
    for val, is_told in ((ids[:2], False), (ids[1:3], True)):
        (photos / 'val.txt').write_text('\n'.join(val))
        args = tool['parser']().parse_args([str(word) for word in words])
        assert tool['main'](args) == 0
        assert ('needs one suffix' in capsys.readouterr().out) == is_told
        if not is_told:
            config = Config.fromfile(tmp_path / 'mine.py')
            assert config.test_dataloader.dataset.img_suffix == '.png'


def test_lists_of_the_user_are_not_overwritten(photos, tmp_path):
    (photos / 'train.txt').write_text('train_0001\n')
    before = (photos / 'classes.txt').read_text()
    write_own_config(find_own_data(photos), tmp_path / 'mine.py')
    assert (photos / 'train.txt').read_text() == 'train_0001\n'
    assert (photos / 'classes.txt').read_text() == before


def test_a_shipped_config_in_one_file(tmp_path):
    write_shipped_config(SCENES, tmp_path / 'mine.py')
    text = (tmp_path / 'mine.py').read_text()
    assert '_base_' not in text and "'box2seg_mmseg'" in text
    whole = Config.fromfile(tmp_path / 'mine.py')
    shipped = Config.fromfile(find_config(SCENES))
    assert whole.to_dict() == shipped.to_dict()


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        ([], 'either the NAME of a config or --data'),
        ([SCENES, '--data', '.'], 'either the NAME of a config or --data'),
        ([SCENES, '--format', 'voc'], '--format is an option of --data'),
        (['--data', '.'], 'no boxes in a known format'),
        ([SCENES, '--out', 'mine.txt'], r'ends in \.py'),
        ([SCENES, '--out', 'there.py'], '--overwrite'),
    ],
)
def test_wrong_use_is_refused(words, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'there.py').write_text('mine')
    if '--out' not in words:
        words = [*words, '--out', 'mine.py']
    tool = runpy.run_path(str(find_tools()['config']))
    with pytest.raises(UsageError, match=text):
        tool['main'](tool['parser']().parse_args(words))
    assert not (tmp_path / 'mine.py').exists()
    assert (tmp_path / 'there.py').read_text() == 'mine'
