"""What tests/integration/test_stock_tools.py cannot show."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from box2seg_mmseg.engine import hooks
from box2seg_mmseg.engine.hooks import RandomStateHook


def _resumed(monkeypatch, num_processes):
    monkeypatch.setattr(
        hooks.random_state_hook, 'get_world_size', lambda: num_processes
    )
    checkpoint = {}
    RandomStateHook().before_save_checkpoint(None, checkpoint)
    state = checkpoint['random_state']
    # As if loaded to a GPU: only .cpu() gives what set_rng_state takes.
    on_cpu = state['torch'].clone()
    state['torch'] = SimpleNamespace(cpu=lambda: on_cpu)
    hook, runner = RandomStateHook(), SimpleNamespace(iter=4, train_loop=None)
    hook.after_load_checkpoint(runner, checkpoint)
    want = torch.rand(3)
    hook.before_train_epoch(runner)
    hook.before_train_iter(runner, 0)
    return torch.equal(torch.rand(3), want)


def test_states_come_back_from_any_device(monkeypatch):
    assert _resumed(monkeypatch, num_processes=1)


def test_a_distributed_run_keeps_its_own_states(monkeypatch):
    assert not _resumed(monkeypatch, num_processes=2)


class _Batches:
    """Each batch draws from both generators, as augmentations do."""

    def __init__(self):
        self.number = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.number += 1
        return self.number, random.random(), np.random.rand()


class _SkippingBatches(_Batches):
    """onedl-mmengine's: what is skipped is not loaded."""

    def skip_iter(self, count):
        self.number += count


def _train(batches, hook, start=0, stop=6):
    """The loop of both mmengines, with a checkpoint after four iterations."""
    loop = SimpleNamespace(dataloader_iterator=batches)
    runner = SimpleNamespace(iter=start, train_loop=loop)
    hook.before_train_epoch(runner)
    if start and hasattr(loop.dataloader_iterator, 'skip_iter'):
        loop.dataloader_iterator.skip_iter(start)
    elif start:  # mmengine 0.10.7
        for _ in range(start):
            next(loop.dataloader_iterator)
    seen, checkpoint = [], {}
    while runner.iter < stop:
        batch = next(loop.dataloader_iterator)
        hook.before_train_iter(runner, runner.iter)
        seen.append((*batch, torch.rand(1).item()))
        runner.iter += 1
        if runner.iter == 4:
            hook.before_save_checkpoint(runner, checkpoint)
    return seen, checkpoint


@pytest.mark.parametrize('kind', [_Batches, _SkippingBatches])
def test_a_resumed_loop_draws_as_an_uninterrupted_one(kind):
    random.seed(1)
    want, checkpoint = _train(kind(), RandomStateHook())
    random.seed(2)
    np.random.seed(2)
    torch.manual_seed(2)
    hook = RandomStateHook()
    hook.after_load_checkpoint(None, checkpoint)
    got, _ = _train(kind(), hook, start=4)
    assert got == want[4:]
