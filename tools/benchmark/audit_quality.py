"""How well audit_boxes finds errors that were planted in correct boxes.

Each draw plants all three errors in the boxes of a data set, each with the
given probability, makes GrabCut's labels, trains the networks of two folds on
them (L_GC, one class, EfficientNet-Lite2) and audits the boxes. The same
command resumes after an interruption. --with adds the boxes of a second data
set to learn from; only the first one is measured.

A finding of a missing object is right if most of its region's bounding box
lies in one box that was dropped; each of them counts once. The table has the
average precision (AP), and precision and recall of the first findings, as many
as a tenth of the boxes.
"""

import json
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from box2seg_mmseg.boxes import (
    COCOJSON,
    VOC_CLASSES,
    VOCXML,
    BoxAnnotations,
    add_box_noise,
    write_voc_xml,
)
from box2seg_mmseg.command_line import positive_int, run, share
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import record_arguments, write_json
from box2seg_mmseg.id_lists import read_split
from box2seg_mmseg.installed import find_config

CONFIG = (
    'miniature_1class/'
    'grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256.py'
)
LAUNCHER = Path(__file__).with_name('_run_stock_tool.py')


@dataclass(frozen=True)
class Planted:
    """The boxes of an image with errors, and which they are.

    Args:
        image: The boxes with errors.
        modes: For each box the modes of its errors.
        dropped: ``(D, 4)``, the boxes that are missing.
    """

    image: BoxAnnotations
    modes: Sequence[set[str]]
    dropped: np.ndarray


def main(args: Namespace) -> int:
    """Measure all draws and print their means."""
    record_arguments(
        args.work_dir / 'arguments.json',
        dict(
            data=args.data_root.name,
            other=args.other.name if args.other else None,
            share=args.share,
        ),
    )
    results = []
    for draw in range(args.draws):
        path = args.work_dir / f'draw{draw}/quality.json'
        if not path.exists():
            write_json(path, _measure(args, draw))
        results.append(json.loads(path.read_text()))
    print(_table(results))
    return 0


def plant(image: BoxAnnotations, probability: float, draw: int) -> Planted:
    """Merge, then drop, then jitter boxes, each with the same probability."""
    numbers = np.arange(len(image.labels)).astype(object)
    steps = [replace(image, ids=numbers)]
    for k, kind in enumerate(('merge', 'drop', 'jitter')):
        noisy = add_box_noise(steps[-1], kind, probability, 3 * draw + k)
        steps.append(noisy)
    before, merged, kept, noisy = (
        dict(zip(one.ids, one.boxes, strict=True)) for one in steps
    )
    modes = []
    for number, box in noisy.items():
        found = set()
        if (merged[number] != before[number]).any():
            found.add('merged')
        if (box != merged[number]).any():
            found.add('misaligned')
        modes.append(found)
    dropped = [merged[number] for number in merged.keys() - kept.keys()]
    return Planted(
        replace(steps[-1], ids=None), modes, np.array(dropped).reshape(-1, 4)
    )


def average_precision(
    scores: Sequence[float], is_right: Sequence[bool], num_right: int
) -> float:
    """Mean over all right ones of the precision down to each; 0 if unseen.

    Raises:
        UsageError: There is nothing to find.
    """
    if not num_right:
        raise UsageError('no error was planted; give a larger --share')
    right = np.asarray(is_right, bool)[np.argsort(-np.asarray(scores))]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float((precision * right).sum() / num_right)


def _measure(args: Namespace, draw: int) -> dict[str, dict[str, float]]:
    # torch is imported only now, so that --help is fast.
    import cached_backbone  # noqa: F401, the networks need it

    from box2seg_mmseg.apis.cross_fitted import CrossFittedNetworks
    from box2seg_mmseg.apis.training_rounds import (
        TrainingRounds,
        networks_of_round,
    )
    from box2seg_mmseg.audit import audit_boxes
    from box2seg_mmseg.engine.hooks import keep_freed_memory
    from box2seg_mmseg.pseudo_labels import (
        build_labeler,
        generate_pseudo_labels,
    )

    keep_freed_memory()
    folder = (args.work_dir / f'draw{draw}').resolve()
    planted = [plant(one, args.share, draw) for one in _images(args.data_root)]
    others = _images(args.other) if args.other else []
    others = [plant(one, args.share, draw).image for one in others]
    images = [one.image for one in planted] + others
    photographs = folder / 'JPEGImages'
    photographs.mkdir(parents=True, exist_ok=True)
    for image in images:
        link = photographs / f'{image.image_id}.jpg'
        link.unlink(missing_ok=True)
        link.symlink_to(Path(image.image_path).resolve())
    (folder / 'boxes').mkdir(parents=True, exist_ok=True)
    for image in images:
        write_voc_xml(folder / f'boxes/{image.image_id}.xml', image)
    split = folder / 'split.txt'
    split.write_text(''.join(f'{image.image_id}\n' for image in images))
    labels = folder / 'labels'
    generate_pseudo_labels(
        images,
        build_labeler(dict(type='GrabCut')),
        labels,
        progress=True,
        total=len(images),
        classes=VOC_CLASSES,
    )
    data = 'train_dataloader.dataset'
    TrainingRounds(
        find_config(CONFIG),
        labels,
        folder / 'rounds',
        cfg_options=[
            f'{data}.data_root={folder}',
            f'{data}.ann_file={split}',
            f'{data}.box_dir={folder / "boxes"}',
            'model.backbone.type=CachedEfficientNetLite',
            f'model.backbone.cache_dir={args.work_dir.resolve() / "features"}',
            'randomness.seed=0',
        ],
        refine=dict(crf=False, scales=[1]),  # labels that nothing reads
        train_command=[sys.executable, str(LAUNCHER)],
    ).run()
    networks = CrossFittedNetworks(
        *networks_of_round(folder / 'rounds/round1')
    )
    own = {one.image.image_id for one in planted}
    findings = [
        one
        for one in audit_boxes(images, networks, progress=True)
        if one.image_id in own
    ]
    images = [one.image for one in planted]
    result = {}
    for mode in ('missing', 'merged', 'misaligned'):
        found = [one for one in findings if one.mode == mode]
        if mode == 'missing':
            num_right = sum(len(one.dropped) for one in planted)
            is_right = _find_dropped(found, planted)
            area = [_area(one.box) for one in found]
        else:
            of_image = {one.image.image_id: one.modes for one in planted}
            is_right = [mode in of_image[f.image_id][f.index] for f in found]
            num_right = sum(is_right)
            area = _unusual_area(found, images)
            if mode == 'misaligned':  # boxes become larger or smaller
                area = np.abs(area).tolist()
        rng = np.random.default_rng(0)
        orders = [rng.random(len(found)) for _ in range(20)]
        first = sum(len(one.labels) for one in images) // 10
        scores = [one.score for one in found]
        result[mode] = dict(
            planted=num_right,
            ap=average_precision(scores, is_right, num_right),
            precision=float(np.mean(is_right[:first])),
            recall=float(np.sum(is_right[:first]) / num_right),
            ap_area=average_precision(area, is_right, num_right),
            ap_random=float(
                np.mean(
                    [
                        average_precision(one, is_right, num_right)
                        for one in orders
                    ]
                )
            ),
        )
    return result


def _images(data_root: Path) -> Iterable[BoxAnnotations]:
    """``voc-mini`` or ``coco-mini``."""
    split = data_root / 'ImageSets/Segmentation/train.txt'
    if split.is_file():
        return VOCXML(data_root).read(read_split(split))
    return COCOJSON(data_root).read(read_split(data_root / 'train.txt'))


def _find_dropped(found: Sequence, planted: Iterable[Planted]) -> list[bool]:
    """Whether each region is the first one of a box that was dropped."""
    dropped = {one.image.image_id: one.dropped for one in planted}
    seen, result = set(), []
    for one in found:
        x1, y1, x2, y2 = one.box
        hits = set()
        for k, (a, b, c, d) in enumerate(dropped[one.image_id].tolist()):
            width, height = min(c, x2) - max(a, x1), min(d, y2) - max(b, y1)
            if max(width, 0) * max(height, 0) > _area(one.box) / 2:
                hits.add((one.image_id, k))
        result.append(bool(hits - seen))
        seen |= hits
    return result


def _unusual_area(
    found: Sequence, images: Sequence[BoxAnnotations]
) -> list[float]:
    """How far a box's area is from its class's, in standard deviations."""
    labels = {one.image_id: one.labels for one in images}
    sizes = {one.image_id: np.prod(one.size) for one in images}
    values = np.array(
        [np.log(_area(one.box) / sizes[one.image_id]) for one in found]
    )
    own = np.array([labels[one.image_id][one.index] for one in found])
    for label in np.unique(own):
        group = values[own == label]
        values[own == label] = (group - group.mean()) / (group.std() + 0.1)
    return values.tolist()


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _table(results: Sequence[dict]) -> str:
    lines = [
        '| error | planted | AP | random | area | precision | recall |',
        '|---|---:|---:|---:|---:|---:|---:|',
    ]
    for mode in results[0]:
        figures = [one[mode] for one in results]

        def text(key: str, figures: Sequence[dict] = figures) -> str:
            values = [one[key] for one in figures]
            spread = np.std(values, ddof=1) if len(values) > 1 else 0
            return f'{np.mean(values):.2f} ± {spread:.2f}'

        number = np.mean([one['planted'] for one in figures])
        lines.append(
            f'| {mode} | {number:.0f} | {text("ap")} | {text("ap_random")} '
            f'| {text("ap_area")} | {text("precision")} | {text("recall")} |'
        )
    return '\n'.join(lines)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument(
        'data_root', type=Path, help='the folder voc-mini or coco-mini'
    )
    result.add_argument(
        '--with',
        dest='other',
        type=Path,
        metavar='DATA',
        help='the folder of a second data set, to learn from',
    )
    result.add_argument(
        '--work-dir',
        required=True,
        type=Path,
        metavar='DIR',
        help='where boxes, labels, networks and results go',
    )
    result.add_argument(
        '--share',
        type=share,
        default=0.1,
        help='probability of each error (default: %(default)s)',
    )
    result.add_argument(
        '--draws',
        type=positive_int,
        default=3,
        metavar='N',
        help='random draws (default: %(default)s)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
