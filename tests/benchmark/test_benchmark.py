import csv
import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from operator import attrgetter
from pathlib import Path

import pytest
import torch
from benchmark_data import BenchmarkData
from benchmark_rows import FAMILIES, ROWS, Row, choose_rows
from benchmark_runs import current_runs, write_run
from benchmark_table import write_tables
from mmengine.config import Config
from mmseg.registry import MODELS, TRANSFORMS

from box2seg_mmseg.boxes import iter_voc_xml
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.label_maps import read_label_png

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize('family', FAMILIES.values(), ids=FAMILIES)
def test_every_row_has_its_config(family):
    for row in family.rows:
        prefix = row.config or row.name
        folder = CONFIGS / family.configs
        assert len(list(folder.glob(f'{prefix}_*.py'))) == 1, row.name


SWEEPS = [
    (family, row)
    for family in FAMILIES.values()
    if family.default
    for row in family.rows
]


@pytest.mark.parametrize(
    ('family', 'row'), SWEEPS, ids=[row.name for _, row in SWEEPS]
)
def test_a_setting_is_taken_and_its_default_is_as_said(family, row):
    ((key, value),) = row.options.items()
    # The part of the config that is built, and where it keeps the value.
    part, name = re.fullmatch(
        r'(model\.decode_head|.*pipeline\.\d+)\.(.+)', key
    ).groups()
    registry = MODELS if part.startswith('model') else TRANSFORMS
    name = dict(embedding_channels='embedding_decoder.out_channels').get(
        name, name
    )
    (path,) = (CONFIGS / family.configs).glob('box2seg_*.py')
    cfg = Config.fromfile(path)
    values = []
    for options in ({}, row.options):
        cfg.merge_from_dict(dict(options))
        one = cfg
        for step in part.split('.'):
            one = one[int(step) if step.isdigit() else step]
        with torch.device('meta'):
            values.append(attrgetter(name)(registry.build(one)))
    assert values[1] == value != values[0]
    assert f'= {value} (default {values[0]})' in row.title


def _names(only):
    return [f'{family}/{row.name}' for family, row in choose_rows(only)]


def test_rows_come_with_what_they_need_and_in_order():
    assert _names(['object/box2seg-crf', 'box']) == [
        'miniature/box',
        'object/box',
        'object/box2seg',
        'object/box2seg-crf',
    ]
    assert _names(['sweep/gamma-0.5']) == ['object/box2seg', 'sweep/gamma-0.5']
    every = _names(None)
    assert len(every) == len(set(every)) == 2 * len(ROWS) + len(SWEEPS)
    for family, row in choose_rows(None):
        if row.needs is not None:
            before = every.index(f'{family}/{row.needs}')
            assert before < every.index(f'{family}/{row.name}')
    with pytest.raises(ValueError, match=r'box3seg: no such row; there are'):
        choose_rows(['box3seg'])


def _run(row, seed, miou, tags=50.0, seconds=100.0, **more):
    more = (
        dict(family='object', statistics={}, machine='an abacus, 2 cores')
        | more
    )
    return dict(
        row=row,
        title=row.title(),
        seed=seed,
        parameters=1_500_000,
        versions=dict(torch='2.13.0'),
        mIoU=miou,
        mIoU_tags=tags,
        runs=dict(
            train=dict(command='t', seconds=seconds, peak_mib=1000.0),
            test=dict(command='t', seconds=9.0, peak_mib=1200.0),
        ),
        **more,
    )


def test_means_deviations_and_differences_by_hand(tmp_path):
    runs = [
        _run('grabcut', 0, 60.0),
        _run('grabcut', 1, 64.0, seconds=None),
        _run('full', 0, 70.0, tags=60.0),
        _run('full', 1, 70.0, tags=60.0),
        _run(
            'box2seg',
            0,
            66.0,
            tags=54.0,
            statistics=dict(attention_in_boxes=0.5),
        ),
        _run('gamma-0.5', 0, 65.0, family='sweep'),
    ]
    text = write_tables([tmp_path / 'table', tmp_path / 'docs'], runs)
    assert (tmp_path / 'table.md').read_text() == text
    assert (tmp_path / 'docs.md').read_text() == text
    row = '| Grabcut | 2 | 62.00 ± 2.83 | 50.00 ± 0.00 | 100 | 1200 | 1.50 |'
    assert row in text
    row = '| full supervision over GrabCut | 2 | 8.00 ± 2.83 | 10.00 ± 0.00 |'
    assert row in text
    assert '| Box2Seg over GrabCut | 1 | 6.00 | 4.00 |' in text
    assert '| Box2Seg | 0.500 | - | - | - | - | - |' in text
    sweep = text[text.index('each changed alone') :]
    assert '| Box2Seg, the defaults | 1 | 66.00 | 54.00 |' in sweep
    assert '| gamma = 0.5 (default 0.7) | 1 | -1.00 | -4.00 |' in sweep
    assert '--seeds 2 --only object/grabcut object/full\n' in text
    assert '--seeds 1 --only object/box2seg sweep/gamma-0.5\n' in text
    # Of seed 0 alone: (66 - 60) / (70 - 60).
    assert 'Box2Seg closes 60% of the gap' in text
    assert '(tags known: 40%; of means; seeds: 1)' in text
    with (tmp_path / 'table.csv').open() as file:
        first = next(csv.DictReader(file))
    assert (first['row'], float(first['mIoU'])) == ('grabcut', 62)
    report = json.loads((tmp_path / 'table.json').read_text())
    assert [row['seeds'] for row in report['rows']] == [2, 2, 1, 1]
    assert '6 runs on an abacus, 2 cores, with torch 2.13.0.' in text


def test_differences_of_two_machines_are_marked(tmp_path):
    runs = [
        _run('grabcut', 0, 60.0),
        _run('box2seg', 0, 66.0),
        _run('box2seg', 1, 67.0, machine='a slide rule, 1 core'),
        _run('full', 0, 70.0),
    ]
    alike = write_tables([tmp_path / 'table'], runs)
    assert '| Box2Seg over GrabCut | 1 | 6.00 | 0.00 |' in alike
    assert 'of means; seeds: 1).' in alike and '†' not in alike
    runs.append(_run('grabcut', 1, 62.0))
    text = write_tables([tmp_path / 'table'], runs)
    assert '| Box2Seg over GrabCut † | 2 | 5.50 ± 0.71 | 0.00' in text
    assert '| full supervision over GrabCut | 1 | 10.00 | 0.00 |' in text
    assert '\n† The two rows were made on unlike machines' in text
    assert '4 runs on an abacus, 2 cores, with torch 2.13.0.' in text
    assert '1 runs (object/box2seg) on a slide rule, 1 core, with ' in text


def test_what_is_kept_of_a_run(tmp_path):
    """The mean of the log's end; folders by name, at their borders alone."""
    lines = [
        {'iter': i, 'decode.gamma_eta': 0.1 * i, 'decode.loss_gc': 1.0}
        for i in range(1, 8)
    ]
    # The run was resumed after its third line.
    for name, part in (('a', lines[:3]), ('b', lines[3:])):
        path = tmp_path / f'run/{name}/vis_data/scalars.json'
        path.parent.mkdir(parents=True)
        path.write_text('\n'.join(map(json.dumps, part)))
    command = (
        "python -m box2seg_mmseg train /b/configs/c.py --work-dir '/d/my w/r' "
        '--cfg-options a=/d/voc b=/d/voc-mini/x c=/d/voc2 d=/b'
    )
    content = write_run(
        tmp_path / 'run',
        ('object', 'box2seg', 0),
        Row('box2seg', 'Box2Seg'),
        '0',
        dict(runs=dict(train=dict(command=command))),
        {
            '/d/voc': 'DATA/voc',
            '/d/voc-mini': 'DATA/voc-mini',
            '/d/my w': 'WORK_DIR',
            '/b/configs': 'configs',
        },
    )
    assert content['statistics'] == dict(gamma_eta=pytest.approx(0.5))
    assert content['parameters'] is None
    assert content['runs']['train']['command'] == (
        "python -m box2seg_mmseg train configs/c.py --work-dir 'WORK_DIR/r' "
        '--cfg-options a=DATA/voc b=DATA/voc-mini/x c=/d/voc2 d=/b'
    )
    assert json.loads((tmp_path / 'run/run.json').read_text()) == content


def test_runs_are_kept_while_they_are_what_they_would_be(capsys):
    def digest_of(family, row):
        if row.name == 'pretrain':
            raise UsageError('coco-mini: no such folder')
        return f'{family}/{row.name}'

    runs = [
        _run('box', 0, 50.0, digest='object/box'),
        _run('full', 0, 50.0, digest='of before'),
        _run('pretrain', 0, 50.0, digest='not known'),
        _run('given-up', 0, 50.0, digest='object/given-up'),
    ]
    current = current_runs(runs, Path('docs.json'), digest_of)
    titles = {name: run['title'] for (_, name, _), run in current.items()}
    assert titles == dict(
        box='Box: filled boxes',
        pretrain="Box2Seg on coco-mini's boxes alone",
    )
    said = capsys.readouterr().out
    assert 'docs.json: object/full, seed 0, was made with another' in said
    assert 'object/given-up, seed 0, was made with another' in said
    assert 'object/pretrain, seed 0, is kept unseen: coco-mini: no' in said


def test_data_of_the_rows(few_photographs, data_dir, tmp_path):
    """Eight photographs; every kind of row."""
    root = few_photographs
    split = root / 'ImageSets/Segmentation/train.txt'
    ids = split.read_text().split()
    data = BenchmarkData(root, tmp_path / 'made', workers=1)

    options = data.dataset_options(Row('a', 'A', 'box_fill'))
    assert list(options) == ['data_root', 'pseudo_label_dir']
    labels = options['pseudo_label_dir']
    assert {path.stem for path in labels.glob('*.png')} == set(ids)

    half = Fraction(1, 2)
    options = data.dataset_options(Row('b', 'B', None, mask_share=half))
    assert len(options['ann_file'].read_text().split()) == 4

    row = Row('c', 'C', 'box_fill', mask_share=half, noise=('drop', 0.5))
    options = data.dataset_options(row)
    assert set(options) == {
        'data_root',
        'pseudo_label_dir',
        'box_dir',
        'mask_ann_file',
    }
    assert options['pseudo_label_dir'] != labels
    whole = sum(len(a.labels) for a in iter_voc_xml(root, ids))
    harmed = sum(
        len(a.labels)
        for a in iter_voc_xml(root, ids, xml_dir=options['box_dir'])
    )
    assert 0 < harmed < whole

    lists = {}
    for name in ('train', 'val'):
        path = root / f'ImageSets/Segmentation/{name}_clean.txt'
        lists[path] = (root / f'ImageSets/Segmentation/{name}.txt').read_text()
    row = Row('f', 'F', 'box_fill', clean=True)
    for path, text in lists.items():
        path.write_text(text.split()[0])
    train, val = lists
    options = data.dataset_options(row)
    assert (options['pseudo_label_dir'], options['ann_file']) == (
        labels,
        train,
    )
    assert data.test_options(row) == dict(data_root=root, ann_file=val)
    assert data.test_options(Row('a', 'A')) == dict(data_root=root)

    with pytest.raises(UsageError, match='coco-mini: no such folder'):
        data.dataset_options(Row('p', 'P', 'box_fill', other_data=True))
    coco = root.with_name('coco-mini')
    coco.symlink_to(data_dir / 'coco-mini')
    options = data.dataset_options(Row('p', 'P', 'box_fill', other_data=True))
    assert options['data_root'] == coco
    assert len(list(options['pseudo_label_dir'].glob('*.png'))) == 137

    masks = data.dataset_options(Row('d', 'D', 'missing'))['pseudo_label_dir']
    assert len(list(masks.glob('*.png'))) == len(ids)

    wrong, missed = (
        data.dataset_options(Row('e', 'E', name))['pseudo_label_dir']
        for name in ('wrong-corrected', 'missed-corrected')
    )
    left = dict(wrong=0, missed=0)
    for name in ids:
        mask = read_label_png(root / f'SegmentationClass/{name}.png', 21)
        known = mask != 255
        label = read_label_png(wrong / f'{name}.png', 21)
        assert (mask == label)[known & (label > 0)].all()
        left['missed'] += (mask != label)[known].sum()
        label = read_label_png(missed / f'{name}.png', 21)
        assert (mask == label)[known & (label == 0)].all()
        left['wrong'] += (mask != label)[known].sum()
    assert min(left.values()) > 0


def test_the_identity_is_that_of_the_data(few_photographs, tmp_path):
    """Lists and content count, places do not."""
    root = few_photographs
    whole, clean = (
        Row('a', 'A', clean=False),
        Row('b', 'B', clean=True),
    )

    def identity(row, out_dir='made'):
        return BenchmarkData(root, tmp_path / out_dir).identity(row)

    first = identity(whole)
    assert identity(whole, 'elsewhere') == first
    assert identity(replace(whole, labels='box_fill')) != first
    with pytest.raises(UsageError, match=r'train_clean\.txt: no such file'):
        identity(clean)
    lists = root / 'ImageSets/Segmentation'
    for name in ('train', 'val'):
        shutil.copy(lists / f'{name}.txt', lists / f'{name}_clean.txt')
    assert identity(clean) == first
    ids = (lists / 'val.txt').read_text().split()
    (lists / 'val_clean.txt').write_text(ids[0])
    train, val, labels = identity(clean)
    assert (train, labels) == (first[0], first[2]) and val != first[1]
    for folder, suffix in (('Annotations', 'xml'), ('JPEGImages', 'jpg')):
        source = (root / folder).resolve()
        (root / folder).unlink()
        shutil.copytree(source, root / folder)
        assert identity(whole) == first
        path = root / f'{folder}/{ids[1]}.{suffix}'
        content = path.read_bytes()
        path.write_bytes(content + b' ')
        assert identity(whole) != first
        path.write_bytes(content)
