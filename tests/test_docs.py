"""What README and docs say against the tools and configs themselves."""

import json
import os
import re
import runpy
import shlex
from itertools import chain
from pathlib import Path

import pytest
from benchmark_runs import recorded_runs
from benchmark_table import write_tables
from mmengine.config import Config

from box2seg_mmseg.__main__ import stock_tool

ROOT = Path(__file__).resolve().parent.parent
PAGES = ['../README.md', *sorted(p.name for p in ROOT.glob('docs/*.md'))]
VOC = 'data/VOCdevkit/VOC2012'


@pytest.mark.parametrize('page', PAGES)
def test_commands_are_such_as_the_tools_take(page, page_blocks, monkeypatch):
    monkeypatch.setenv('S', '.')  # a folder that is there, to write to
    for line in chain.from_iterable(page_blocks(page)):
        words = shlex.split(os.path.expandvars(line), comments=True)
        if 'box2seg_mmseg' in words:
            tool, *words = words[words.index('box2seg_mmseg') + 1 :]
            monkeypatch.setenv('LOCAL_RANK', '0')  # which the tools set
            parse = runpy.run_path(str(stock_tool(tool)))['parse_args']
            monkeypatch.setattr('sys.argv', [tool, *words])
            parse()
        if words[:1] == ['python'] and words[1].startswith('tools/'):
            tool = runpy.run_path(str(ROOT / words[1]))
            tool['parser']().parse_args(words[2:])


def test_the_benchmarks_page_is_made_of_its_runs(tmp_path):
    docs = ROOT / 'docs/benchmark'
    runs = recorded_runs(docs.with_suffix('.json'))
    assert len(runs) > 40
    write_tables([tmp_path / 'again'], runs)
    for suffix in ('.md', '.csv', '.json'):
        again = (tmp_path / f'again{suffix}').read_text()
        assert again == docs.with_suffix(suffix).read_text()


def test_the_benchmarks_commands_can_be_run_again():
    """Those without a commit are of commit 1d8b41d, as the page says."""
    for run in recorded_runs(ROOT / 'docs/benchmark.json'):
        if 'commit' not in run:
            continue
        for tool in run['runs'].values():
            (config,) = re.findall(r'configs/\S+\.py', tool['command'])
            assert (ROOT / config).is_file(), tool['command']


def test_readmes_table_is_the_benchmarks():
    rows = json.loads((ROOT / 'docs/benchmark.json').read_text())['rows']
    means = {(r['family'], r['row']): (r['mIoU'], r['seeds']) for r in rows}
    text = (ROOT / 'README.md').read_text()
    for title, row in (
        ('GrabCut', 'grabcut'),
        ('Box2Seg', 'box2seg'),
        ('full supervision', 'full'),
    ):
        four = r'[\d.]+(?: \| [\d.]+){3}'
        (figures,) = re.findall(rf'^\| {title} \| ({four}) \|$', text, re.M)
        assert figures.split(' | ') == [
            f'{mean:.1f}'
            for family, said in (('voc-mini-1class', 3), ('miniature', 6))
            for suffix in ('', '-crf')
            for mean, seeds in [means[family, row + suffix]]
            if seeds == said
        ]


def test_configs_that_the_pages_name_are_there():
    named = {}
    for page in PAGES:
        text = (ROOT / 'docs' / page).read_text()
        named[page] = re.findall(r'\bconfigs/[\w./-]+\.py', text)
    assert len(named['../README.md']) > 1 and len(named['voc.md']) > 3
    for page, paths in named.items():
        for path in paths:
            assert (ROOT / path).is_file(), f'{page}: {path}'
    table = re.findall(
        r'`((?:baselines|box2seg)/[\w-]+)`',
        (ROOT / 'docs/voc.md').read_text(),
    )
    assert len(set(table)) > 14
    for name in table:
        found = list((ROOT / 'configs').glob(f'{name}_upernet_r101_*.py'))
        assert len(found) == 1, name


def test_the_page_on_voc_makes_what_its_configs_read(page_blocks, monkeypatch):
    monkeypatch.setenv('PWD', '')
    made = set()
    for page in ('../README.md', 'voc.md'):
        for line in chain.from_iterable(page_blocks(page)):
            words = shlex.split(os.path.expandvars(line), comments=True)
            if words[:1] == ['export']:
                monkeypatch.setenv(*words[1].split('=', 1))
            elif '=' in line.split()[0]:
                monkeypatch.setenv(*words[0].split('=', 1))
            elif '--out' in words:
                made.add(words[words.index('--out') + 1])
    # prepare_voc.py makes these; its own test says so.
    made |= {f'{VOC}/ImageSets/Segmentation/train_aug.txt'}
    made |= {f'{VOC}/SegmentationClassAug'}
    configs = [
        path
        for folder in ('baselines', 'box2seg')
        for path in (ROOT / 'configs' / folder).glob('*voc12aug*.py')
    ]
    assert len(configs) == 7
    for path in configs:
        dataset = Config.fromfile(path).train_dataloader.dataset
        places = [
            f'{VOC}/{dataset[key]}'
            for key in ('ann_file', 'mask_ann_file')
            if key in dataset
        ]
        places += [
            dataset[key]
            for key in ('pseudo_label_dir', 'box_dir')
            if key in dataset
        ]
        assert set(places) <= made, path.name
