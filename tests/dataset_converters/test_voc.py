"""A VOC 2012 and an SBD of eight images in the true formats."""

import hashlib
import shutil
import subprocess
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from mmengine import Config
from PIL import Image
from preparation import voc, voc_command
from preparation.archives import tarfile
from preparation.download import Download
from preparation.voc import prepare_voc
from scipy.io import savemat

from box2seg_mmseg.boxes import VOCXML, BoxAnnotations, write_voc_xml
from box2seg_mmseg.label_maps import read_label_png, write_label_png

SIZE = (30, 40)
TRAIN, VAL = ['t0', 't1'], ['v0', 'v1']
AUG = ['s0', 's1', 's2', 's3']
CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def _mask(number):
    mask = np.zeros(SIZE, np.uint8)
    mask[5:15, 8:20], mask[18:28, 2 : 10 + number] = 3, 15
    return mask


def _cell(**fields):
    """A MATLAB struct as SBD saves it: one element, fields of objects."""
    return np.array(
        [[tuple(fields.values())]], dtype=[(name, object) for name in fields]
    )


@pytest.fixture
def folders(tmp_path):
    root, sbd = tmp_path / 'VOC2012', tmp_path / 'dataset'
    (root / 'ImageSets/Segmentation').mkdir(parents=True)
    for name in ('JPEGImages', 'Annotations'):
        (root / name).mkdir()
    for name in ('cls', 'inst'):
        (sbd / name).mkdir(parents=True)
    lists = root / 'ImageSets/Segmentation'
    (lists / 'train.txt').write_text('\n'.join(TRAIN))
    (lists / 'val.txt').write_text('\n'.join(VAL))
    # SBD knows an image of VOC's train and one of its val.
    (sbd / 'train.txt').write_text('\n'.join([*AUG[:3], 't0']))
    (sbd / 'val.txt').write_text('\n'.join([AUG[3], 'v0']))
    for i, name in enumerate([*TRAIN, *VAL, *AUG]):
        image = Image.fromarray(np.full((*SIZE, 3), i, np.uint8))
        image.save(root / f'JPEGImages/{name}.jpg')
        annotations = BoxAnnotations(
            name, f'{name}.jpg', SIZE, [(8, 5, 20, 15)], [3]
        )
        write_voc_xml(root / f'Annotations/{name}.xml', annotations)
        if name in TRAIN + VAL:
            write_label_png(root / f'SegmentationClass/{name}.png', _mask(i))
        if name in [*AUG, 't0', 'v0']:
            classes = dict(Segmentation=_mask(i) + 0, Boundaries=np.zeros(1))
            savemat(sbd / f'cls/{name}.mat', dict(GTcls=_cell(**classes)))
            instances = np.zeros(SIZE, np.uint8)
            instances[5:15, 8:20], instances[18:28, 2 : 10 + i] = 1, 2
            parts = dict(
                Segmentation=instances,
                Boundaries=np.zeros(1),
                Categories=np.array([[3], [15]], np.uint8),
            )
            savemat(sbd / f'inst/{name}.mat', dict(GTinst=_cell(**parts)))
    (root / 'Annotations/s1.xml').unlink()
    return root, sbd


@pytest.fixture
def known(monkeypatch):
    counts = dict(train=2, val=2, train_aug=6)
    monkeypatch.setattr(voc, 'KNOWN_COUNTS', counts)


def test_everything_is_made(folders, known):
    root, sbd = folders
    report = prepare_voc(root, sbd)
    assert report.problems == []
    split = (root / 'ImageSets/Segmentation/train_aug.txt').read_text()
    assert split.split() == sorted([*AUG, *TRAIN]), 'and none of val'
    assert report.counts == dict(train=2, val=2, train_aug=6)
    assert report.masks == 6
    for i, name in enumerate([*TRAIN, *VAL, *AUG]):
        path = root / f'SegmentationClassAug/{name}.png'
        assert path.exists() == (name not in VAL)
        if path.exists():
            np.testing.assert_array_equal(read_label_png(path, 21), _mask(i))


def test_boxes_come_from_masks_where_there_is_no_xml(folders, known):
    root, sbd = folders
    for _ in range(2):
        report = prepare_voc(root, sbd)
        assert report.boxes_from_masks == ['s1']
    (found,) = VOCXML(root).read(['s1'])
    assert found.boxes.tolist() == [[8, 5, 20, 15], [2, 18, 15, 28]]
    assert found.labels.tolist() == [3, 15]
    assert found.size == SIZE
    text = (root / 'Annotations/s1.xml').read_text()
    assert 'SBD instance masks' in text


def test_what_is_missing_or_broken_is_told(folders):
    root, sbd = folders
    (root / 'JPEGImages/s0.jpg').unlink()
    (root / 'SegmentationClass/t1.png').unlink()
    (sbd / 'cls/s2.mat').write_bytes(b'no mat')
    (sbd / 'inst/s1.mat').unlink()
    problems = prepare_voc(root, sbd).problems
    for text in (
        r's0.jpg: missing; it comes with VOCtrainval',
        r't1.png: missing; it comes with VOCtrainval',
        r's2.mat: not a mask of SBD; download benchmark.tgz',
        r's1.xml: missing, and no boxes from masks',
        r'train.txt: has 2 images, the published list has 1464',
        r'train_aug.txt: has 6 images, the published list has 10582',
    ):
        assert any(text in problem for problem in problems), text
    shutil.rmtree(root / 'ImageSets')
    with pytest.raises(FileNotFoundError, match=r'train\.txt: missing; it co'):
        prepare_voc(root, sbd)


def _damage(path):
    """As by a bad block: the length stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(data)


def _save_mat(path, key, **fields):
    savemat(path, {key: _cell(**fields)}, do_compression=True)


def test_a_damaged_file_is_told_and_the_rest_goes_on(folders, known):
    root, sbd = folders
    classes = sbd / 'cls'
    for name in ('s0', 's1'):
        _save_mat(classes / f'{name}.mat', 'GTcls', Segmentation=_mask(1))
    _damage(classes / 's0.mat')  # zlib.error
    data = (classes / 's1.mat').read_bytes()
    (classes / 's1.mat').write_bytes(data[:-20])  # OSError
    (classes / 's2.mat').write_bytes(b'')
    _damage(root / 'SegmentationClass/t0.png')
    report = prepare_voc(root, sbd)
    assert report.masks == 2, 's3 and t1'
    assert len(report.problems) == 4
    for name, source in (
        ('s0.mat: not a mask', 'benchmark.tgz'),
        ('s1.mat: not a mask', 'benchmark.tgz'),
        ('s2.mat: not a mask', 'benchmark.tgz'),
        ('t0.png: truncated or corrupt PNG', 'VOCtrainval_11-May-2012.tar'),
    ):
        found = [line for line in report.problems if name in line]
        assert len(found) == 1, name
        assert f'download {source}' in found[0]


@pytest.mark.parametrize('value', [-1, 21, 254, 256, 2.5, np.nan])
def test_a_mask_with_what_is_no_class_is_told(folders, known, value):
    root, sbd = folders
    mask = _mask(1).astype(float)
    mask[0, 0], mask[0, 1] = value, 255
    _save_mat(sbd / 'cls/s0.mat', 'GTcls', Segmentation=mask)
    (problem,) = prepare_voc(root, sbd).problems
    assert 's0.mat: not a mask of SBD' in problem
    assert f'{value:g} is not a class of VOC' in problem
    assert not (root / 'SegmentationClassAug/s0.png').exists()


def test_a_png_with_what_is_no_class_is_told(folders, known):
    root, sbd = folders
    write_label_png(root / 'SegmentationClass/t1.png', _mask(1) + 10)
    (problem,) = prepare_voc(root, sbd).problems
    assert 't1.png: labels must be below 21 or 255. Got: 25' in problem
    assert not (root / 'SegmentationClassAug/t1.png').exists()


@pytest.mark.parametrize('category', [0, 21, 255])
def test_an_instance_of_no_class_is_told(folders, known, category):
    root, sbd = folders
    _save_mat(
        sbd / 'inst/s1.mat',
        'GTinst',
        Segmentation=_mask(1),
        Categories=np.array([[3], [category]], np.uint8),
    )
    (problem,) = prepare_voc(root, sbd).problems
    assert 's1.mat: not a mask of SBD' in problem
    assert f'{category} is not a class of VOC' in problem
    assert not (root / 'Annotations/s1.xml').exists()


@pytest.fixture
def archives(folders, tmp_path):
    """The two as published: VOC's and SBD's."""
    root, sbd = folders
    paths = []
    for folder, inner, name in (
        (root, 'VOCdevkit/VOC2012', 'VOCtrainval_11-May-2012.tar'),
        (sbd, 'benchmark_RELEASE/dataset', 'benchmark.tgz'),
    ):
        paths.append(tmp_path / name)
        mode = 'w:gz' if name.endswith('tgz') else 'w'
        with tarfile.open(paths[-1], mode) as tar:
            tar.add(folder, inner)
    return paths


@pytest.mark.slow
def test_the_command_takes_the_archives_as_published(
    run_tool, archives, tmp_path
):
    voc_tar, sbd_tar = archives
    out = tmp_path / 'out'
    command = 'prepare_dataset.py', 'voc', '--out', out
    done = run_tool(*command, '--voc', voc_tar, '--sbd', sbd_tar)
    assert done.returncode == 1, 'eight images are not VOC 2012'
    assert 'the published list has 10582' in done.stderr
    assert 'train_aug       6 images' in done.stdout
    masks = (out / 'VOCdevkit/VOC2012/SegmentationClassAug').glob('*.png')
    assert len(list(masks)) == 6

    done = run_tool(*command)
    assert 'the published list has 10582' in done.stderr, (
        'what was extracted is taken'
    )
    done = run_tool(*command[:3], tmp_path / 'none')
    assert done.returncode == 2
    assert 'give the folder or the archive' in done.stderr


@pytest.mark.parametrize('given', [False, True])
def test_the_command_goes_on_after_an_interruption(
    archives, tmp_path, known, monkeypatch, given
):
    for constant, path in zip(
        ('VOC_ARCHIVE', 'SBD_ARCHIVE'), archives, strict=True
    ):
        data = path.read_bytes()
        md5 = hashlib.md5(data).hexdigest()
        source = Download(f'http://[::1]:9/{path.name}', len(data), md5)
        monkeypatch.setattr(voc_command, constant, source)
    voc_tar, sbd_tar = map(str, archives) if given else (None, None)
    out = tmp_path / 'out' if given else tmp_path
    args = Namespace(
        voc=voc_tar, sbd=sbd_tar, out=str(out), download=not given
    )

    def interrupted(tar, member, *args, **kwargs):
        if member.name.endswith(('t1.jpg', 's2.mat')):
            raise KeyboardInterrupt
        return whole(tar, member, *args, **kwargs)

    whole = tarfile.TarFile.extract
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tarfile.TarFile, 'extract', interrupted)
        voc_command.main(args)
    for _ in range(2):
        assert voc_command.main(args) == 0
    masks = (out / 'VOCdevkit/VOC2012/SegmentationClassAug').glob('*.png')
    assert len(list(masks)) == 6


def test_the_command_tells_how_the_configs_find_the_folder(
    folders, tmp_path, known, monkeypatch, capsys
):
    root, sbd = folders
    monkeypatch.chdir(tmp_path)
    args = Namespace(voc=str(root), sbd=str(sbd), out='data', download=False)
    voc_command.main(args)
    out = capsys.readouterr().out
    assert f'prepared: {root}\n' in out
    assert f'--cfg-options train_dataloader.dataset.data_root={root} ' in out

    # The link is made as told; then there is nothing to tell.
    (link,) = [line for line in out.splitlines() if 'ln -s' in line]
    subprocess.run(link, shell=True, check=True)
    args.voc = None
    voc_command.main(args)
    out = capsys.readouterr().out
    assert 'prepared: data/VOCdevkit/VOC2012\n' in out
    assert 'ln -s' not in out
    assert '--cfg-options' not in out


def test_data_root_is_that_of_the_configs():
    config = Config.fromfile(CONFIGS / '_base_/datasets/voc12aug.py')
    root = str(voc_command.DATA_ROOT)
    for loader in ('train', 'val', 'test'):
        assert config[f'{loader}_dataloader'].dataset.data_root == root
