import csv
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from benchmark import Benchmark
from benchmark_data import BenchmarkData
from benchmark_families import FAMILIES, SETTINGS, choose_rows
from benchmark_rows import ROWS, Row
from benchmark_runs import current_runs, with_names, write_run
from benchmark_table import write_tables
from mmengine.config import Config
from mmseg.registry import MODELS

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.label_maps import read_label_png

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


ONE_CLASS = 'miniature_1class'


@pytest.mark.parametrize('family', FAMILIES.values(), ids=FAMILIES)
def test_every_row_has_its_config(family):
    for row in family.rows:
        folder = CONFIGS / family.configs
        assert len(list(folder.glob(f'{row.config}_*.py'))) == 1, row.name


def _box2seg_head(options):
    """The row box2seg's head with options, and its configuration."""
    (path,) = (CONFIGS / ONE_CLASS).glob('box2seg_*.py')
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(dict(options))
    with torch.device('meta'):
        return MODELS.build(cfg.model.decode_head), cfg


@pytest.mark.parametrize('setting', SETTINGS, ids=lambda one: one.name)
def test_a_setting_changes_the_loss_from_its_default(setting):
    _, position, name = setting.key.split('.')
    values = []
    for row in (None, *setting.rows()):
        head, _ = _box2seg_head(row.options if row else {})
        values.append(getattr(head.losses[int(position)], name))
        if row is not None:
            said = f'= {values[-1]} (default {values[0]})'
            assert said in row.title
    assert values == [setting.default, *setting.values]


@pytest.mark.parametrize(
    ('name', 'branches'),
    [
        ('attention', {'attention'}),
        ('affinity', {'embedding'}),
        ('box2seg', {'attention', 'embedding'}),
        ('missing-attention', {'attention'}),
    ],
)
def test_a_loss_that_is_off_builds_no_decoder(name, branches):
    (row,) = (row for row in ROWS if row.name == name)
    head, _ = _box2seg_head(row.options)
    names = {key.split('.')[0] for key in head.state_dict()}
    assert names == {'seg_decoder', *(f'{one}_decoder' for one in branches)}


def _names(only):
    return [f'{family}/{row.name}' for family, row in choose_rows(only)]


def test_rows_come_with_what_they_need_and_in_order():
    assert _names(['miniature_1class/box2seg-crf', 'box']) == [
        'miniature/box',
        'miniature_1class/box2seg',
        'miniature_1class/box',
        'miniature_1class/box2seg-crf',
    ]
    assert _names(['sweep/gamma-0.5']) == [
        'miniature_1class/box2seg',
        'sweep/gamma-0.5',
    ]
    every = _names(None)
    assert (
        len(every)
        == len(set(every))
        == 2 * len(ROWS) + sum(len(setting.values) for setting in SETTINGS)
    )
    for family, row in choose_rows(None):
        if row.needs is not None:
            before = every.index(f'{family}/{row.needs}')
            assert before < every.index(f'{family}/{row.name}')
    with pytest.raises(ValueError, match=r'box3seg: no such row; there are'):
        choose_rows(['box3seg'])


def _run(row, seed, miou, tags=50.0, seconds=100.0, **more):
    more = (
        dict(family=ONE_CLASS, statistics={}, machine='an abacus, 2 cores')
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
    assert (
        '--seeds 2 --only miniature_1class/grabcut miniature_1class/full\n'
        in text
    )
    only = '--seeds 1 --only miniature_1class/box2seg sweep/gamma-0.5\n'
    assert only in text
    # Of seed 0 alone: (66 - 60) / (70 - 60).
    assert 'Box2Seg closes 60% of the gap' in text
    assert '(tags known: 40%; of means; seeds: 1)' in text
    with (tmp_path / 'table.csv').open() as file:
        first = next(csv.DictReader(file))
    assert (first['row'], float(first['mIoU'])) == ('grabcut', 62)
    report = json.loads((tmp_path / 'table.json').read_text())
    assert [row['seeds'] for row in report['rows']] == [2, 2, 1, 1]
    assert '6 runs on an abacus, 2 cores, with torch 2.13.0.' in text


def test_labels_are_compared_by_hand_computed_shares(tmp_path):
    runs = [
        *(_run('grabcut', seed, 60.0 + seed) for seed in (0, 1)),
        _run('grabcut-crf', 0, 64.0),
        _run('plus', 0, 65.0),
        _run('plus-box2seg-crf', 0, 67.0),
        _run('full', 0, 70.5),
    ]
    text = write_tables([tmp_path / 'table'], runs)
    # Means: (65 - 60.5) / (70.5 - 60.5). full-crf was not run.
    assert '| GrabCut | 60.50 (0%); 2 | 64.00; 1 | - | - |' in text
    assert '| GrabCut+ * | 65.00 (45%); 1 | - | - | 67.00; 1 |' in text
    runs.append(_run('full-crf', 0, 70.0))
    text = write_tables([tmp_path / 'table'], runs)
    assert '| 65.00 (45%); 1 | - | - | 67.00 (50%); 1 |' in text
    assert '| Deep' not in text


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
    assert '\n† The two rows were made on different machines' in text
    assert '4 runs on an abacus, 2 cores, with torch 2.13.0.' in text
    assert (
        '1 runs (miniature_1class/box2seg) on a slide rule, 1 core, with '
        in text
    )


def test_what_is_kept_of_a_run(tmp_path):
    """The mean of the log's end; whole folders by name."""
    lines = [
        {'iter': i, 'decode.gamma_eta': 0.1 * i, 'decode.loss_gc': 1.0}
        for i in range(1, 8)
    ]
    # The run was interrupted after its third line.
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
        (ONE_CLASS, 'box2seg', 0),
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


def test_configs_have_names_for_folders():
    config = json.dumps(dict(data_root='/d/voc', label_dir='/d/voc/l'))
    want = json.dumps(dict(data_root='DATA', label_dir='DATA/l'))
    assert with_names(config, {'/d/voc': 'DATA'}) == want


def test_runs_are_kept_while_their_configs_are_the_same(capsys):
    def stamp(family, row):
        if row.name == 'pretrain':
            raise UsageError('coco-mini: no such folder')
        return f'{family}/{row.name}'

    runs = [
        _run('box', 0, 50.0, config='miniature_1class/box'),
        _run('full', 0, 50.0, config='of before'),
        _run('pretrain', 0, 50.0, config='not known'),
        _run('given-up', 0, 50.0, config='miniature_1class/given-up'),
        _run('grabcut', 0, 50.0),
    ]
    current = current_runs(runs, Path('docs.json'), stamp)
    titles = {name: run['title'] for (_, name, _), run in current.items()}
    assert titles == dict(
        box='Box (filled boxes): L_GC alone',
        pretrain="Box2Seg on coco-mini's boxes alone",
        grabcut='GrabCut: L_GC alone',
    )
    said = capsys.readouterr().out
    one_class = f'docs.json: {ONE_CLASS}'
    assert f'{one_class}/full, seed 0, was made with another config' in said
    assert f'{one_class}/given-up, seed 0, was made with another' in said
    assert f'{one_class}/pretrain, seed 0, is kept unchecked: coco' in said
    assert 'docs.json: 1 runs were recorded before runs were stamped' in said


def test_data_of_the_rows(few_photographs, data_dir, tmp_path):
    """Eight photographs; every kind of row."""
    root = few_photographs
    split = root / 'ImageSets/Segmentation/train.txt'
    ids = split.read_text().split()
    data = BenchmarkData(root, tmp_path / 'made', pytest.fail, workers=1)

    def options_of(row):
        options = data.train_options(row)
        data.make(row)
        return options

    options = options_of(Row('a', 'A', labels='box_fill'))
    assert list(options) == ['data_root', 'pseudo_label_dir']
    labels = options['pseudo_label_dir']
    assert {path.stem for path in labels.glob('*.png')} == set(ids)

    half = Fraction(1, 2)
    options = options_of(Row('b', 'B', labels=None, mask_share=half))
    assert len(options['ann_file'].read_text().split()) == 4

    noisy = Row(
        'c', 'C', labels='box_fill', mask_share=half, noise=('drop', 0.5)
    )
    options = options_of(noisy)
    assert set(options) == {
        'data_root',
        'pseudo_label_dir',
        'box_dir',
        'mask_ann_file',
    }
    assert options['pseudo_label_dir'] != labels
    whole = sum(len(a.labels) for a in VOCXML(root).read(ids))
    left = sum(
        len(a.labels)
        for a in VOCXML(root, xml_dir=options['box_dir']).read(ids)
    )
    assert 0 < left < whole

    clean = Row('f', 'F', labels='box_fill', clean=True)
    with pytest.raises(UsageError, match=r'train_clean\.txt: no such split'):
        data.train_options(clean)
    lists = {}
    for name in ('train', 'val'):
        path = root / f'ImageSets/Segmentation/{name}_clean.txt'
        path.write_text(ids[0])
        lists[name] = path
    options = options_of(clean)
    assert (options['pseudo_label_dir'], options['ann_file']) == (
        labels,
        lists['train'],
    )
    assert data.test_options(clean) == dict(
        data_root=root, ann_file=lists['val']
    )
    assert data.test_options(Row('a', 'A')) == dict(data_root=root)

    other = Row('p', 'P', labels='box_fill', other_data=True)
    with pytest.raises(UsageError, match='coco-mini: no such folder'):
        data.train_options(other)
    coco = root.with_name('coco-mini')
    coco.symlink_to(data_dir / 'coco-mini')
    options = options_of(other)
    assert options['data_root'] == coco
    assert len(list(options['pseudo_label_dir'].glob('*.png'))) == 137

    options = options_of(Row('d', 'D', labels=None, missing=True))
    assert len(list(options['mask_dir'].glob('*.png'))) == len(ids)
    assert options['mask_ann_file'] == split
    assert options['pseudo_label_dir'] is None

    wrong, missed = (
        options_of(Row('e', 'E', labels=name))['pseudo_label_dir']
        for name in ('wrong-corrected', 'missed-corrected')
    )
    errors = dict(wrong=0, missed=0)
    for name in ids:
        mask = read_label_png(root / f'SegmentationClass/{name}.png', 21)
        known = mask != 255
        label = read_label_png(wrong / f'{name}.png', 21)
        assert (mask == label)[known & (label > 0)].all()
        errors['missed'] += (mask != label)[known].sum()
        label = read_label_png(missed / f'{name}.png', 21)
        assert (mask == label)[known & (label == 0)].all()
        errors['wrong'] += (mask != label)[known].sum()
    assert min(errors.values()) > 0


def test_rounds_are_made_from_the_boxes_of_the_row(few_photographs, tmp_path):
    made = []
    data = BenchmarkData(
        few_photographs, tmp_path, lambda *args: made.append(args), workers=1
    )
    rows = {row.name: row for row in ROWS}
    for name in ('round1', 'round2-box2seg', 'drop-30-suspects-round1'):
        row = rows[name]
        options = data.train_options(row)
        data.make(row)
        source, labels, folder, count = made.pop()
        first = data.train_options(source)
        assert labels == first['pseudo_label_dir']
        assert len(list(labels.glob('*.png'))) == 8
        newest = folder / f'round{count}/labels'
        assert options == first | dict(pseudo_label_dir=newest)
        assert ('box_dir' in first) == source.suspects == ('drop' in name)
        assert ('drop-30' in str(labels)) == ('drop-30' in str(folder))
    assert not made


def test_a_stamp_is_of_the_config_not_of_the_place(few_photographs, tmp_path):
    (row,) = (row for row in ROWS if row.name == 'box2seg')
    (after,) = (row for row in ROWS if row.name == 'box2seg-crf')

    def stamp(of=row, work_dir='work', root=few_photographs):
        benchmark = Benchmark(CONFIGS, root, tmp_path / work_dir)
        return benchmark.stamp(ONE_CLASS, of)

    first = stamp()
    assert stamp(work_dir='elsewhere') == first
    moved = tmp_path / 'moved' / few_photographs.name
    shutil.copytree(few_photographs, moved)
    assert stamp(root=moved) == first
    slower = {'optim_wrapper.optimizer.lr': 1e-3}
    assert stamp(replace(row, options=slower)) != first
    assert stamp(replace(row, title='other')) == first
    assert stamp(after) != first
