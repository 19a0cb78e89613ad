"""What tests/integration/test_stock_tools.py can not show: GPUs, processes."""

from types import SimpleNamespace

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
    hook, runner = RandomStateHook(), SimpleNamespace(iter=4)
    hook.after_load_checkpoint(runner, checkpoint)
    want = torch.rand(3)
    hook.before_train_epoch(runner)
    hook.before_train_iter(runner, 0)
    return torch.equal(torch.rand(3), want)


def test_states_come_back_from_any_device(monkeypatch):
    assert _resumed(monkeypatch, num_processes=1)


def test_a_distributed_run_keeps_its_own_states(monkeypatch):
    assert not _resumed(monkeypatch, num_processes=2)
