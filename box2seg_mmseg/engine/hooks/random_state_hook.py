"""Resuming as if never interrupted."""

import random

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Keep the random states in the checkpoint, and go on from them.

    With one process, ``num_workers=0`` and the toolbox's default stack, whose
    sampler skips what was drawn without loading it, a resumed run then takes
    the same augmentations and drop-outs as an uninterrupted one and ends in
    the same weights. Data workers have states of their own, which no
    checkpoint sees; in a distributed run, where a checkpoint has the states
    of one process only, the hook does nothing.
    """

    def __init__(self) -> None:
        self._state: dict | None = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Store the states.

        Args:
            runner: The runner.
            checkpoint: What will be saved.
        """
        checkpoint['random_state'] = dict(
            python=random.getstate(),
            numpy=np.random.get_state(),
            torch=torch.get_rng_state(),
            cuda=torch.cuda.get_rng_state_all()
            if torch.cuda.is_available()
            else [],
        )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the states of the checkpoint that training resumes from.

        Args:
            runner: The runner.
            checkpoint: What was loaded.
        """
        if get_world_size() == 1:
            self._state = checkpoint.get('random_state')

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the generators of the data pipeline, before it draws.

        Args:
            runner: The runner.
        """
        if runner.iter > 0 and self._state is not None:
            random.setstate(self._state['python'])
            np.random.set_state(self._state['numpy'])

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | tuple | list | None = None,
    ) -> None:
        """Set the generators of the network, after the loader drew a seed.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
        """
        if runner.iter > 0 and self._state is not None:
            # Generators take states on the CPU; the checkpoint came to the
            # model's device.
            torch.set_rng_state(self._state['torch'].cpu())
            cuda = [state.cpu() for state in self._state['cuda']]
            if cuda and len(cuda) == torch.cuda.device_count():
                torch.cuda.set_rng_state_all(cuda)
        self._state = None
