import csv
import json
import re
from operator import attrgetter
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS, TRANSFORMS

from box2seg_mmseg.boxes import iter_voc_xml
from box2seg_mmseg.command_line import UsageError
from box2seg_mmseg.experiments.benchmark_data import BenchmarkData
from box2seg_mmseg.experiments.benchmark_rows import (
    FAMILIES,
    ROWS,
    Row,
    choose_rows,
)
from box2seg_mmseg.experiments.benchmark_table import write_tables
from box2seg_mmseg.pseudo_labels import read_label_png

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
def test_a_setting_is_taken_and_is_not_the_default(family, row):
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
    assert values[0] != value and values[1] == value


def _names(only):
    return [f'{family}/{row.name}' for family, row in choose_rows(only)]


def test_rows_come_with_what_they_need_and_in_order():
    assert _names(['object/box2seg-crf', 'box']) == [
        'miniature/box',
        'object/box',
        'object/box2seg',
        'object/box2seg-crf',
    ]
    every = _names(None)
    assert len(every) == len(set(every)) == 2 * len(ROWS) + len(SWEEPS)
    for family, row in choose_rows(None):
        if row.needs is not None:
            before = every.index(f'{family}/{row.needs}')
            assert before < every.index(f'{family}/{row.name}')
    with pytest.raises(ValueError, match=r'box3seg: no such row; there are'):
        choose_rows(['box3seg'])


def _run(row, seed, miou, tags=50.0, seconds=100.0, **more):
    more = dict(family='object', statistics={}) | more
    return dict(
        row=row,
        title=row.title(),
        seed=seed,
        parameters=1_500_000,
        machine='an abacus, 2 cores',
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
        _run('full', 0, 70.0),
        _run('full', 1, 70.0),
        _run('box2seg', 0, 66.0, statistics=dict(attention_in_boxes=0.5)),
        _run('gamma-0.5', 0, 65.0, family='sweep'),
    ]
    text = write_tables([tmp_path / 'table', tmp_path / 'docs'], runs)
    assert (tmp_path / 'table.md').read_text() == text
    assert (tmp_path / 'docs.md').read_text() == text
    assert '| Grabcut | 2 | 62.00 ± 2.83 | 50.00 | 100 | 1200 | 1.50 |' in text
    assert '| full supervision over GrabCut | 2 | 8.00 ± 2.83 |' in text
    assert '| Box2Seg over GrabCut | 1 | 6.00 | 0.00 |' in text
    assert '| Box2Seg | 0.500 | - | - | - | - |' in text
    assert '| gamma = 0.5, over the default | 1 | -1.00 | 0.00 |' in text
    # Of seed 0 alone: (66 - 60) / (70 - 60).
    assert 'Box2Seg closes 60% of the gap' in text
    assert '(means of mIoU; seeds: 1)' in text
    with (tmp_path / 'table.csv').open() as file:
        first = next(csv.DictReader(file))
    assert (first['row'], float(first['mIoU'])) == ('grabcut', 62)
    report = json.loads((tmp_path / 'table.json').read_text())
    assert [row['seeds'] for row in report['rows']] == [2, 2, 1, 1]
    assert 'Runs on an abacus, 2 cores: 6, with torch 2.13.0.' in text


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

    options = data.dataset_options(Row('b', 'B', None, mask_share=0.5))
    assert len(options['ann_file'].read_text().split()) == 4

    row = Row('c', 'C', 'box_fill', mask_share=0.5, noise=('drop', 0.5))
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
    with pytest.raises(UsageError, match=r'train_clean\.txt: no such file'):
        data.dataset_options(row)
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
    first_ids = [text.split()[0] for text in lists.values()]
    assert data.identity(row)[:2] == ([first_ids[0]], [first_ids[1]])

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
    for name in ids:
        mask = read_label_png(root / f'SegmentationClass/{name}.png', 21)
        known = mask != 255
        label = read_label_png(wrong / f'{name}.png', 21)
        assert (mask == label)[known & (label > 0)].all()
        label = read_label_png(missed / f'{name}.png', 21)
        assert (mask == label)[known & (label == 0)].all()
