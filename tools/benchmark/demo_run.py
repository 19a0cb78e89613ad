"""The demo: labels, training, test, a table and a picture."""

import json
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from label_folder import make_label_folder
from rendered_scenes import SCENE_CLASSES, write_scenes
from stock_tools import fetch_backbone, run_experiment

from box2seg_mmseg.boxes import VOC_CLASSES, VOCXML
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import write_json
from box2seg_mmseg.id_lists import read_split
from box2seg_mmseg.pseudo_labels import build_labeler
from box2seg_mmseg.visualization import draw_comparison

TITLES = dict(
    box='Box', grabcut='GrabCut', box2seg='Box2Seg', full='full supervision'
)
LABELERS = dict(box_fill='BoxFill', grabcut='GrabCut')
WEIGHTS = 'efficientnet-lite2'  # of the configs for photographs
SCENES_NOTE = (
    'The rendered scenes show that all parts work together, not which method '
    'is better: GrabCut already segments most of their objects well, so the '
    'gain from the losses is within the spread of the seeds. Measurements on '
    'photographs are in docs/benchmark.md.\n'
)


def run_demo(
    config_root: str | Path,
    work_dir: str | Path,
    data_root: str | Path | None = None,
    methods: Sequence[str] = ('box', 'grabcut', 'box2seg'),
    seeds: Sequence[int] = (0, 1),
    workers: int = 1,
    resume: bool = False,
) -> str:
    """Make pseudo labels, train and test the methods, compare them.

    Args:
        config_root: The folder ``configs`` of the project.
        work_dir: Where everything goes; ``table.md`` and ``figure.png`` are
            the results. Without ``resume``, an earlier demo of the same
            arguments there is deleted.
        data_root: A folder in VOCdevkit's layout with VOC's classes and the
            splits ``train`` and ``val``, or None for rendered scenes.
        methods: Some of ``box``, ``grabcut``, ``box2seg`` and, given data,
            ``full``.
        seeds: Each method is trained once for each seed.
        workers: Processes that make the pseudo labels.
        resume: Keep what an interrupted demo of the same arguments has done.

    Returns:
        The table in Markdown: mIoU in percent of each method, its mean and
        spread (largest minus smallest), and the mIoU of each seed.

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
        raise UsageError('full supervision needs data; name a folder')
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
        name: make_label_folder(
            VOCXML(data_root, classes).read(splits['train']),
            len(splits['train']),
            build_labeler(dict(type=labeler)),
            work_dir / 'pseudo_labels' / name,
            workers,
        )
        for name, labeler in LABELERS.items()
    }
    options = {
        f'{loader}_dataloader.dataset.data_root': data_root
        for loader in ('train', 'val', 'test')
    }
    if family == 'miniature':
        fetch_backbone(WEIGHTS)

    mious: dict[str, list[float]] = {}
    for seed in seeds:
        for method in methods:
            base = 'grabcut' if method == 'box' else method
            (config,) = Path(config_root, family).glob(f'{base}_*.py')
            extra = {'randomness.seed': seed}
            if method != 'full':
                name = 'box_fill' if method == 'box' else 'grabcut'
                key = 'train_dataloader.dataset.pseudo_label_dir'
                extra[key] = label_dirs[name]
            metrics = run_experiment(
                config,
                work_dir / f'{method}-seed{seed}',
                options | extra,
                resume=True,  # the folder was emptied above if necessary
            )
            mious.setdefault(method, []).append(metrics['mIoU'])
    table = _table(mious, seeds, data_root, splits)
    if family == 'scenes':
        table += f'\n{SCENES_NOTE}'
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


def _open_work_dir(work_dir: Path, arguments: dict, resume: bool) -> None:
    """Check that the folder belongs to this demo; empty it to start again."""
    stamp = work_dir / 'demo.json'
    # Move first, delete later: a kill cannot leave half a demo behind.
    trash = work_dir.with_name(f'.{work_dir.name}.trash')
    shutil.rmtree(trash, ignore_errors=True)
    if stamp.exists():
        found = json.loads(stamp.read_text())
        if found != arguments:
            raise ValueError(
                f'{work_dir}: made with other arguments; repeat those, choose '
                f'another --work-dir, or delete the folder. Got: {found}'
            )
        if resume:
            return
        work_dir.rename(trash)
    elif any(path.suffix != '.part' for path in _entries(work_dir)):
        raise ValueError(
            f'{work_dir}: exists and is not from a demo; choose another '
            '--work-dir'
        )
    work_dir.mkdir(parents=True, exist_ok=True)
    write_json(stamp, arguments)
    shutil.rmtree(trash, ignore_errors=True)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


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
        '| method | mean | spread | '
        + ' | '.join(f'seed {seed}' for seed in seeds)
        + ' |',
        '|---|---:|---:|' + '---:|' * len(seeds),
    ]
    for method, values in mious.items():
        spread = f'{max(values) - min(values):.1f}' if len(seeds) > 1 else '-'
        figures = [f'{statistics.mean(values):.1f}', spread]
        figures += [f'{value:.1f}' for value in values]
        lines.append(f'| {TITLES[method]} | {" | ".join(figures)} |')
    return '\n'.join(lines) + '\n'
