"""What README and docs say, against the tools and configs themselves."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
from benchmark_runs import recorded_runs
from benchmark_table import write_tables
from mmengine.config import Config

from box2seg_mmseg.__main__ import STOCK_TOOLS, stock_tool
from box2seg_mmseg.installed import find_config, find_tools

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    '../README.md',
    '../CONTRIBUTING.md',
    '../SECURITY.md',
    *sorted(p.name for p in ROOT.glob('docs/*.md')),
]
VOC = 'data/VOCdevkit/VOC2012'


def _text(page):
    return (ROOT / 'docs' / page).read_text()


def _files(page):
    """The complete example files of a page, by name."""
    blocks = r'```python title="([\w.]+)"\n(.*?)```'
    return dict(re.findall(blocks, _text(page), re.DOTALL))


def _words(line):
    return shlex.split(os.path.expandvars(line), comments=True)


@pytest.mark.parametrize('page', PAGES)
def test_commands_fit_the_tools(page, page_blocks, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    for folder in ('docs', f'{VOC}/ImageSets/Segmentation'):
        Path(folder).mkdir(parents=True)
    for name, text in _files(page).items():
        Path(name).write_text(text)
    tools = find_tools()
    for line in chain.from_iterable(page_blocks(page)):
        words = _words(line)
        if words[:1] == ['export']:
            monkeypatch.setenv(*words[1].split('=', 1))
        if words[:1] == ['box2seg']:
            _, tool, *words = words
        elif 'box2seg_mmseg' in words:
            tool, *words = words[words.index('box2seg_mmseg') + 1 :]
        elif words[:1] == ['python'] and words[1].startswith('tools/'):
            _, script, *words = words
            tool = Path(script).stem
            assert tools[tool] == ROOT / script, line
        else:
            continue
        if tool == '--help':
            continue
        monkeypatch.setattr('sys.argv', [tool, *words])
        if tool in STOCK_TOOLS:
            monkeypatch.setenv('LOCAL_RANK', '0')  # which the tools set
            runpy.run_path(str(stock_tool(tool)))['parse_args']()
        else:
            runpy.run_path(str(tools[tool]))['parser']().parse_args(words)


@pytest.mark.parametrize('page', PAGES)
def test_links_and_configs_exist(page):
    text = _text(page)
    for link in re.findall(r'\]\(([^)#:]+)(?:#[\w-]+)?\)', text):
        assert (ROOT / 'docs' / page).parent.joinpath(link).exists(), link
    folders = '|'.join(
        path.name for path in (ROOT / 'configs').iterdir() if path.is_dir()
    )
    for name in re.findall(rf'(?<![\w/])(?:{folders})/[\w.-]+\.py', text):
        find_config(name)


def test_the_tables_of_experiments_name_configs():
    for name in set(
        re.findall(r'`((?:baselines|box2seg)/[\w-]+)`', _text('voc.md'))
    ):
        find_config(f'{name}_upernet_r101_4xb4-40k_voc12aug-512x512.py')


def test_the_benchmark_page_is_written_from_its_runs(tmp_path):
    docs = ROOT / 'docs/benchmark'
    runs = recorded_runs(docs.with_suffix('.json'))
    assert runs
    write_tables([tmp_path / 'again'], runs)
    for suffix in ('.md', '.csv', '.json'):
        again = (tmp_path / f'again{suffix}').read_text()
        assert again == docs.with_suffix(suffix).read_text()


def test_the_configs_of_the_recorded_runs_exist():
    """Their folders are those of the runs' commits, as the page says."""
    shipped = {path.name for path in (ROOT / 'configs').glob('*/*.py')}
    for run in recorded_runs(ROOT / 'docs/benchmark.json'):
        if 'commit' not in run:
            continue
        for tool in run['runs'].values():
            (config,) = re.findall(r'configs/\S+\.py', tool['command'])
            assert Path(config).name in shipped, tool['command']


def test_readmes_table_is_the_benchmarks():
    rows = json.loads((ROOT / 'docs/benchmark.json').read_text())['rows']
    means = {(r['family'], r['row']): (r['mIoU'], r['seeds']) for r in rows}
    # By the number of seeds with 20 classes; one class has three.
    six = {
        'GrabCut': 'grabcut',
        'Box2Seg': 'box2seg',
        'full supervision': 'full',
    }
    three = {
        'Box': 'box',
        'GrabCut, two rounds of labels': 'round2',
        'Box2Seg, two rounds of labels': 'round2-box2seg',
    }
    for page, num_rows in (('../README.md', 6), ('measurements.md', 4)):
        found = dict(
            re.findall(
                r'^\| ([^|]+) \| ([\d.]+(?: \| [\d.]+){3}) \|$',
                _text(page),
                re.M,
            )
        )
        found = {k: v for k, v in found.items() if k in six | three}
        assert len(found) == num_rows
        for title, figures in found.items():
            row = (six | three)[title]
            assert figures.split(' | ') == [
                f'{mean:.1f}'
                for family, said in (
                    ('miniature_1class', 3),
                    ('miniature', 6 if title in six else 3),
                )
                for suffix in ('', '-crf')
                for mean, seeds in [means[family, row + suffix]]
                if seeds == said
            ]


@pytest.mark.slow
def test_the_recipes_pass_their_tests(tmp_path):
    """In a folder of their own, without a change of the package."""
    files = _files('recipes.md')
    tests = [name for name in files if name.startswith('test_')]
    assert len(tests) == len(files) / 2 > 2
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider']
    done = subprocess.run(
        [*command, *tests],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_page_on_voc_makes_what_its_configs_read(page_blocks, monkeypatch):
    monkeypatch.setenv('PWD', '')
    made = set()
    for line in chain.from_iterable(page_blocks('voc.md')):
        words = _words(line)
        if words[:1] == ['export']:
            monkeypatch.setenv(*words[1].split('=', 1))
        elif '--out' in words:
            made.add(words[words.index('--out') + 1])
    # prepare_dataset makes these; its own test says so.
    made |= {f'{VOC}/ImageSets/Segmentation/train_aug.txt'}
    made |= {f'{VOC}/SegmentationClassAug'}
    configs = list((ROOT / 'configs').glob('b*/*voc12aug*.py'))
    assert configs
    for path in configs:
        dataset = Config.fromfile(path).train_dataloader.dataset
        places = [
            f'{VOC}/{dataset[key]}'
            for key in ('ann_file', 'mask_ann_file')
            if dataset.get(key)
        ]
        if dataset.get('pseudo_label_dir'):
            places.append(dataset['pseudo_label_dir'])
        assert set(places) <= made, path.name
