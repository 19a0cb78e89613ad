"""Refuse checkpoints of another model."""

from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner, find_latest_checkpoint
from mmengine.runner.base_loop import BaseLoop
from mmseg.registry import HOOKS

from ...compatibility import check_mmengine_loads
from ...models.checkpoints import check_classes, load_weights
from ..bare_model import bare_model


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Stop a test or a resumed training whose checkpoint does not fit.

    mmengine keeps the random values of parameters that a checkpoint lacks and
    ignores those that the model lacks, so it tests another model's checkpoint
    without an error. This hook raises one instead. Training that starts from
    a checkpoint (``load_from``, ``init_cfg``) is not checked: its head may
    well be another.

    For every use of a checkpoint file, the hook also explains why torch
    refuses to load it, which mmengine does not.
    """

    def before_run(self, runner: Runner) -> None:
        """Check that the checkpoint can be loaded, before mmengine does it.

        Raises:
            RuntimeError: torch refuses the file; the message says what to do.
        """
        source = runner._load_from
        if source is None and runner._resume:
            source = find_latest_checkpoint(runner.work_dir)
        if source is None:
            return
        path = Path(source).expanduser()
        if path.is_file():  # and no web address
            check_mmengine_loads(path)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare weights and classes.

        Raises:
            ValueError: The checkpoint lacks parameters of the model, has
                others, or was trained on other classes than the config's.
        """
        trains = isinstance(runner._train_loop, BaseLoop)
        if trains and not runner._resume:
            return
        source = runner._load_from or f'the checkpoint in {runner.work_dir}'
        state_dict = checkpoint.get('state_dict', checkpoint)
        load_weights(bare_model(runner.model), state_dict, source)
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        check_classes(meta, runner.cfg, source)
