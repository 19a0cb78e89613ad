"""Kill a training again and again, resume it, and compare its weights.

A training of Box2Seg on rendered scenes runs once without interruption. A
second one is killed (SIGKILL) at random moments and resumed with --resume
after each. It must end in the same weights and optimizer states, bit for bit.
Exit status: 0 they are the same, 1 they differ.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from argparse import ArgumentParser
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools/benchmark'))
(CONFIG,) = ROOT.glob('configs/scenes/box2seg_*.py')
POLL = 0.002  # seconds


def write_data(root: Path) -> None:
    """Render scenes and make their pseudo labels."""
    from rendered_scenes import SCENE_CLASSES, write_scenes

    from box2seg_mmseg.boxes import VOCXML
    from box2seg_mmseg.pseudo_labels import (
        build_labeler,
        generate_pseudo_labels,
    )

    write_scenes(root, num_train=8, num_val=1, side=64, seed=3)
    ids = (root / 'ImageSets/Segmentation/train.txt').read_text().split()
    generate_pseudo_labels(
        VOCXML(root, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='GrabCut')),
        root / 'labels',
    )


def start(data: Path, work_dir: Path, iterations: int) -> subprocess.Popen:
    """Start the training, or resume it."""
    options = {
        'train_cfg.max_iters': iterations,
        'train_dataloader.batch_size': 2,
        'train_dataloader.dataset.data_root': data,
        'train_dataloader.dataset.pseudo_label_dir': data / 'labels',
        'default_hooks.checkpoint.interval': 2,
        'randomness.seed': 1,
        'val_cfg': None,
        'val_dataloader': None,
        'val_evaluator': None,
    }
    command = [sys.executable, '-m', 'box2seg_mmseg', 'train', CONFIG]
    command += ['--work-dir', work_dir, '--resume', '--cfg-options']
    command += [f'{key}={value}' for key, value in options.items()]
    work_dir.mkdir(exist_ok=True)
    with (work_dir / 'output.txt').open('ab') as log:
        return subprocess.Popen(
            [str(part) for part in command],
            stdout=log,
            stderr=log,
            env=os.environ | dict(OMP_NUM_THREADS='1'),
        )


def checkpoints(work_dir: Path) -> dict[str, int]:
    """The change time of each checkpoint."""
    return {p.name: p.stat().st_mtime_ns for p in work_dir.glob('*.pth')}


def wait_for_checkpoint(run: subprocess.Popen, work_dir: Path) -> None:
    """Wait until a checkpoint is begun."""
    before = checkpoints(work_dir)
    while run.poll() is None and checkpoints(work_dir) == before:
        time.sleep(POLL)


def incomplete(work_dir: Path, before: dict[str, int]) -> str:
    """What a run left half written; '' if nothing.

    ``before`` are the checkpoints from before the run.
    """
    names = [
        name
        for name, time_ns in checkpoints(work_dir).items()
        if before.get(name) != time_ns
        and not zipfile.is_zipfile(work_dir / name)
    ]
    last = work_dir / 'last_checkpoint'
    if last.exists() and not last.read_text():
        names.append(last.name)
    return ', '.join(names)


def same(one: object, other: object) -> bool:
    """Whether two checkpoints are equal, bit for bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        keys = one.keys() == other.keys()
        return keys and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
        return len(one) == len(other) and all(same(a, b) for a, b in pairs)
    return one == other


def main() -> int:
    """Train twice, kill the second training, and compare."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--iterations', type=int, default=120)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        data, whole, killed = (
            Path(folder, name) for name in ('data', 'whole', 'killed')
        )
        write_data(data)
        begin = time.monotonic()
        run = start(data, whole, args.iterations)
        wait_for_checkpoint(run, whole)
        first = time.monotonic() - begin
        if run.wait() != 0:
            print((whole / 'output.txt').read_text()[-3000:])
            return 1
        rest = time.monotonic() - begin - first
        print(f'undisturbed: first checkpoint {first:.1f} s, rest {rest:.1f}')
        num_writes = 0
        for i in range(args.kills):
            before = checkpoints(killed)
            run = start(data, killed, args.iterations)
            # Some kills come before the first checkpoint, some right when a
            # checkpoint is begun, the others at any time after the first one.
            # Together they get about two thirds of the way.
            kind = rng.choice(('early', 'write', 'write', 'any'))
            if kind == 'early':
                time.sleep(rng.uniform(0, first))
            else:
                wait_for_checkpoint(run, killed)
                time.sleep(rng.uniform(0, rest / args.kills))
            if kind == 'write':
                wait_for_checkpoint(run, killed)
                time.sleep(rng.uniform(0, 0.02))
            if run.poll() is not None:
                print((killed / 'output.txt').read_text()[-3000:])
                print('the training ended before it was killed')
                return 1
            run.kill()
            run.wait()
            left = incomplete(killed, before)
            num_writes += bool(left)
            newest = max(
                checkpoints(killed).items(),
                default=('none', 0),
                key=lambda item: item[1],
            )[0]
            print(
                f'kill {i + 1:2} ({kind}): newest {newest}; half written: '
                f'{left or "nothing"}',
                flush=True,
            )
        run = start(data, killed, args.iterations)
        if run.wait() != 0:
            print((killed / 'output.txt').read_text()[-3000:])
            return 1
        name = f'iter_{args.iterations}.pth'
        one, other = (
            torch.load(path / name, weights_only=False)
            for path in (whole, killed)
        )
        log = (killed / 'output.txt').read_text()
        num_passed = log.count('names no complete checkpoint')
    equal = {
        key: same(one[key], other[key])
        for key in ('state_dict', 'optimizer', 'param_schedulers')
    }
    print(
        f'{args.kills} kills, {num_writes} left a file half written, '
        f'{num_passed} times an earlier checkpoint was taken'
    )
    print(f'{len(one["state_dict"])} weights; equal bit for bit: {equal}')
    return 0 if all(equal.values()) else 1


if __name__ == '__main__':
    raise SystemExit(main())
