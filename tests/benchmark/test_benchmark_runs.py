"""The benchmark's command, on four photographs and for two iterations."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from benchmark import Benchmark, run_benchmark
from benchmark_runs import current_runs, recorded_runs
from mmengine.config import Config
from mmseg.registry import MODELS

from box2seg_mmseg.models.backbone_weights import weights_path
from box2seg_mmseg.models.backbones import EfficientNetLite

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
# Stands in for the rows' own configs, two iterations long.
SHORT = """
_base_ = '{base}'
train_cfg = dict(max_iters=2)
train_dataloader = dict(batch_size=2)
default_hooks = dict(
    checkpoint=dict(interval=2), logger=dict(interval=1)
)
"""


FAMILY = 'miniature_1class'


@pytest.fixture
def short_configs(tmp_path):
    for method in ('box2seg', 'finetune'):
        (path,) = (CONFIGS / FAMILY).glob(f'{method}_*.py')
        short = tmp_path / f'configs/{FAMILY}/{method}_short.py'
        short.parent.mkdir(parents=True, exist_ok=True)
        short.write_text(SHORT.format(base=path))
    return tmp_path / 'configs'


@pytest.fixture(autouse=True)
def _random_weights(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    path = weights_path('efficientnet-lite2')
    path.parent.mkdir(parents=True)
    weights = EfficientNetLite('lite2', out_indices=(7,)).state_dict()
    torch.save(dict(state_dict=weights), path)


def _num_parameters(configs, row):
    method = 'finetune' if row.startswith('finetune') else 'box2seg'
    (path,) = (configs / FAMILY).glob(f'{method}_short.py')
    model = MODELS.build(Config.fromfile(path).model)
    return sum(one.numel() for one in model.parameters())


@pytest.mark.slow
def test_rows_run_and_are_not_run_again(
    short_configs, few_photographs, tmp_path, capsys
):
    work_dir = tmp_path / 'work'
    arguments = (short_configs, few_photographs, work_dir)
    only = ['miniature_1class/finetune-1-4', 'miniature_1class/merge-50']
    text = run_benchmark(*arguments, only=only, num_seeds=1)
    assert text == (work_dir / 'table.md').read_text()
    report = json.loads((work_dir / 'table.json').read_text())
    rows = {row['row']: row for row in report['rows']}
    assert set(rows) == {'box2seg', 'finetune-1-4', 'merge-50'}
    for row in rows.values():
        (run,) = row['runs']
        assert 0 <= run['mIoU'] <= 100 and 0 <= run['mIoU_tags'] <= 100
        for tool in ('train', 'test'):
            cost = run['runs'][tool]
            assert cost['seconds'] > 0 and cost['peak_mib'] > 100
            launcher = f'tools/benchmark/_run_stock_tool.py {tool} '
            assert cost['command'].startswith(f'python {launcher}')
        assert run['versions']['torch'] == torch.__version__
        (log,) = (work_dir / FAMILY / row['row'] / 'seed0').glob('*/*.log')
        slow = 'training in float32' in log.read_text()
        dtype = 'float32' if slow else 'bfloat16'
        assert run['machine'].endswith(f', {os.cpu_count()} cores, {dtype}')
        assert run['parameters'] == _num_parameters(short_configs, row['row'])
    statistics = rows['box2seg']['runs'][0]['statistics']
    assert set(statistics) >= {'attention_in_boxes', 'gamma_eta', 'loss_fr'}
    # Of the two iterations' shares, 0.7 times a filling rate at most.
    assert 0 < statistics['gamma_eta'] <= 0.7
    assert 0 < statistics['attention_in_boxes'] < 1
    assert rows['finetune-1-4']['runs'][0]['statistics'] == {}
    command = rows['finetune-1-4']['runs'][0]['runs']['train']['command']
    assert ' configs/miniature_1class/finetune_short.py ' in command
    start = f'WORK_DIR/{FAMILY}/box2seg/seed0/iter_2.pth'
    assert f' model.init_cfg.checkpoint={start} ' in command
    assert 'val_dataloader.dataset.data_root=DATA/photographs ' in command
    assert str(tmp_path) not in (work_dir / 'table.json').read_text()
    assert len(list((work_dir / 'features').rglob('*.pth'))) > 2

    # Finished runs are not repeated.
    stamps = {p: p.stat().st_mtime_ns for p in work_dir.rglob('iter_2.pth')}
    assert run_benchmark(*arguments, only=only, num_seeds=1) == text
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}

    # Nor are runs that another machine has recorded.
    shutil.copy(work_dir / 'table.json', tmp_path / 'docs.json')
    other, docs = tmp_path / 'other', tmp_path / 'docs.md'
    run_benchmark(*arguments[:2], other, only, num_seeds=1, docs=docs)
    assert docs.read_text() == text == (other / 'table.md').read_text()
    assert not (other / FAMILY).exists()

    # A row whose start has lost its checkpoint does not start elsewhere.
    (work_dir / 'miniature_1class/box2seg/seed0/iter_2.pth').unlink()
    shutil.rmtree(work_dir / 'miniature_1class/finetune-1-4')
    with pytest.raises(RuntimeError, match='seed0: finetune-1-4 needs its'):
        run_benchmark(*arguments, only=only, num_seeds=1)

    def current():
        path = tmp_path / 'docs.json'
        benchmark = Benchmark(short_configs, few_photographs, other)
        runs = recorded_runs(path)
        return {row for _, row, _ in current_runs(runs, path, benchmark.stamp)}

    # Runs of another config are not used, also if a row starts from them.
    assert current() == {'box2seg', 'finetune-1-4', 'merge-50'}
    config = short_configs / f'{FAMILY}/finetune_short.py'
    config.write_text(config.read_text() + "\nmodel = dict(foo='bar')\n")
    assert current() == {'box2seg', 'merge-50'}
    said = capsys.readouterr().out
    assert f'{FAMILY}/finetune-1-4, seed 0, was made with another' in said
    config = short_configs / f'{FAMILY}/box2seg_short.py'
    config.write_text(config.read_text().replace('max_iters=2', 'max_iters=3'))
    assert current() == set()
    with pytest.raises(ValueError, match='was made with another config'):
        run_benchmark(
            *arguments, only=['miniature_1class/merge-50'], num_seeds=1
        )
    # Nor are stale runs in a work dir.
    only = ['miniature_1class/merge-50']
    text = run_benchmark(*arguments, only=only, num_seeds=0)
    assert '## One class' not in text


@pytest.mark.slow
def test_an_unknown_row_is_wrong_use(few_photographs, tmp_path):
    tool = CONFIGS.parent / 'tools/benchmark/run_benchmark.py'
    command = [sys.executable, tool, '--data-root', few_photographs]
    command += ['--work-dir', tmp_path / 'work', '--only', 'box3seg']
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'box3seg: no such row; there are grabcut,' in done.stderr
    assert not (tmp_path / 'work').exists()
