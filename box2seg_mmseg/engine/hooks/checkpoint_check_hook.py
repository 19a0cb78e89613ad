"""Refuse checkpoints of another model, and pass over damaged ones."""

import zipfile
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

    mmengine overwrites ``last_checkpoint`` in place and writes checkpoints in
    place, so a killed training can leave both incomplete. ``--resume`` then
    takes the last complete checkpoint.

    Where torch refuses to load a checkpoint, the hook explains why, which
    mmengine does not.
    """

    def before_run(self, runner: Runner) -> None:
        """Choose and check the checkpoint, before mmengine loads it.

        Raises:
            ValueError: The training has to be resumed, and its folder has no
                complete checkpoint.
            RuntimeError: torch refuses the file; the message says what to do.
        """
        if runner._resume and runner._load_from is None:
            _choose_complete(runner)
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


def _choose_complete(runner: Runner) -> None:
    """Resume from the last complete checkpoint if a kill left others."""
    last = Path(runner.work_dir, 'last_checkpoint')
    if not last.is_file():
        return
    name = last.read_text().strip()
    # Folders are deepspeed's; other storage is not looked into.
    if name and (Path(name).is_dir() or '://' in name):
        return
    if _is_complete(Path(name)):
        return
    folders = {last.parent, Path(name).parent if name else last.parent}
    paths = [p for f in folders for p in f.glob('*.pth')]
    paths = [p for p in paths if _is_complete(p)]
    if not paths:
        raise ValueError(
            f'{last}: neither it nor its folder has a complete '
            'checkpoint; delete it and the incomplete .pth files to start '
            f'the training again. Got: {name!r}'
        )
    path = max(paths, key=lambda p: p.stat().st_mtime)
    runner.logger.warning(
        f'{last} names no complete checkpoint, as after a kill during a '
        f'write. Got: {name!r}. Resuming from {path}'
    )
    runner._load_from = str(path)


def _is_complete(path: Path) -> bool:
    """Whether a file of torch has its end; torch writes zip files."""
    return path.is_file() and zipfile.is_zipfile(path)
