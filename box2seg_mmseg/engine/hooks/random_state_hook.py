"""Resume training as if it had never been interrupted."""

import random
from functools import partial

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...compatibility import after_skipped_batches


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Store the random states in the checkpoint and restore them on resume.

    With one process and ``num_workers=0`` a resumed run then uses the same
    augmentations and dropout masks as an uninterrupted one and ends with the
    same weights. Data workers have random states of their own, which no
    checkpoint contains. A distributed run's checkpoint has the states of one
    process only, so there the hook does nothing.
    """

    def __init__(self) -> None:
        self._state: dict | None = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Store the states."""
        checkpoint['random_state'] = dict(
            python=random.getstate(),
            numpy=np.random.get_state(),
            torch=torch.get_rng_state(),
            cuda=torch.cuda.get_rng_state_all(),  # empty without a device
        )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the states of the checkpoint that training resumes from."""
        if get_world_size() == 1:
            self._state = checkpoint.get('random_state')

    def before_train_epoch(self, runner: Runner) -> None:
        """Restore the generators of the data pipeline before it draws."""
        if runner.iter > 0 and self._state is not None:
            restore = partial(_restore_pipeline, self._state)
            after_skipped_batches(runner.train_loop, runner.iter, restore)

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | tuple | list | None = None,
    ) -> None:
        """Restore the network's generators after the loader drew a seed."""
        if runner.iter > 0 and self._state is not None:
            # set_rng_state takes CPU tensors; the checkpoint was loaded to
            # the model's device.
            torch.set_rng_state(self._state['torch'].cpu())
            cuda = [state.cpu() for state in self._state['cuda']]
            if cuda and len(cuda) == torch.cuda.device_count():
                torch.cuda.set_rng_state_all(cuda)
        self._state = None


def _restore_pipeline(state: dict) -> None:
    random.setstate(state['python'])
    np.random.set_state(state['numpy'])
