"""Print what pseudo labels, the dense CRF or the affinity loss cost here.

All figures are measured on this machine.
"""

import os
from argparse import ArgumentParser, Namespace
from importlib.util import find_spec

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_mask_option,
    add_model_arguments,
    check_model_files,
    list_skipped,
    positive_int,
    print_report,
    read_boxes,
    read_masks,
    run,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.pseudo_labels import GrabCut

SIDES = (375, 500, 1024, 2048)
AFFINITY = (
    ('linear', 8, 128),
    ('linear', 8, 32),
    ('pairs', 8, 32),
    ('linear', 8, 56),
    ('pairs', 8, 56),
)


def labels(args: Namespace) -> int:
    """Measure GrabCut's backends and engines, and the mIoU of the labels.

    The last column is the share of boxes whose masks equal cv2.grabCut's.
    """
    from label_cost import measure_labels

    report = ReadingReport(skip_bad=args.skip_bad)
    annotations = list(read_boxes(args, report)[0])
    if len(annotations) < 2 or not any(len(a.boxes) for a in annotations):
        raise UsageError(f'{args.split}: needs two images, and boxes')
    mask_dir, classes = read_masks(args)
    several = args.workers
    rows = [
        ('cv2.grabCut', GrabCut(backend='opencv'), 'local', 1),
        ('numba', GrabCut(), 'local', 1),
        ('numba', GrabCut(), 'local', several),
        ('numba, scale 0.5', GrabCut(scale=0.5), 'local', 1),
        # Last, because the cluster stays until the end.
        ('numba', GrabCut(), 'ray', several),
    ]
    if find_spec('ray') is None:
        print("Ray is missing; its row needs pip install 'box2seg-mmseg[ray]'")
        rows.pop()
    costs = [
        measure_labels(
            annotations,
            labeler,
            mask_dir,
            classes,
            engine,
            workers,
            progress=True,
        )
        for _, labeler, engine, workers in rows
    ]
    print_report(report)
    print(f'{len(annotations)} images, {os.cpu_count()} cores\n')
    print(
        '| labels | engine | workers | images/s | CPU s/image | mIoU | same |'
    )
    print('|---|---|---:|---:|---:|---:|---:|')
    for (name, _, engine, workers), cost in zip(rows, costs, strict=True):
        print(
            f'| {name} | {engine} | {workers} | {cost.images_per_second:.2f} '
            f'| {cost.cpu_seconds:.3f} | {cost.miou:.1f} '
            f'| {100 * cost.identical(costs[0]):.1f} % |'
        )
    return list_skipped(report)


def growth(args: Namespace) -> int:
    """Measure how GrabCut's cost grows with the size of the photographs.

    The photographs are resized; their boxes keep their pixels or grow along.
    One process and one thread; CPU time.
    """
    from label_cost import measure_growth

    report = ReadingReport(skip_bad=args.skip_bad)
    annotations = [a for a in read_boxes(args, report)[0] if len(a.boxes)]
    annotations = annotations[: args.images]
    if not annotations:
        raise UsageError(f'{args.split}: needs boxes')
    rows = measure_growth(annotations, SIDES)
    print_report(report)
    print('| longer side | boxes | cv2, ms/box | numba, ms/box | as fast |')
    print('|---:|---|---:|---:|---:|')
    for row in rows:
        print(
            f'| {row.side} | {"grow along" if row.scaled else "same pixels"} '
            f'| {1e3 * row.opencv:.0f} | {1e3 * row.numba:.0f} '
            f'| {row.opencv / row.numba:.1f}x |'
        )
    return list_skipped(report)


def crf(args: Namespace) -> int:
    """Measure the dense CRF on a model's predictions.

    Over all classes, and over the classes that can still win, in this process
    and in worker processes.
    """
    from crf_cost import measure_crf

    check_model_files(args)
    cost = measure_crf(
        args.config, args.checkpoint, args.workers, args.images, progress=True
    )
    print(
        f'{cost.images} images, {os.cpu_count()} cores; the network takes '
        f'{cost.network:.3f} s an image; {cost.classes:.1f} classes enter; '
        f'{100 * cost.same:.3f} % of the pixels equal those of all classes\n'
    )
    print('| dense CRF | s/image | times as fast |')
    print('|---|---:|---:|')
    for name, seconds in (
        ('all classes', cost.plain),
        ('classes that can win', cost.pruned),
        (f'the same, {args.workers} workers', cost.parallel),
    ):
        print(f'| {name} | {seconds:.3f} | {cost.plain / seconds:.2f} |')
    return 0


def affinity(args: Namespace) -> int:
    """Measure the affinity loss, in its linear form and pair by pair."""
    from affinity_cost import measure_affinity

    print('| affinity loss | batch x side | loss | time, s | peak, MiB |')
    print('|---|---|---:|---:|---:|')
    for form, batch, side in AFFINITY:
        loss, seconds, memory = measure_affinity(form, batch, side)
        print(
            f'| {form} | {batch} x {side} | {loss:.6f} | {seconds:.3f} '
            f'| {memory:.0f} |'
        )
    return 0


def main(args: Namespace) -> int:
    """Run the chosen measurement."""
    return args.measure(args)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    commands = result.add_subparsers(required=True, metavar='WHAT')
    parts = {}
    for measure in (labels, growth, crf, affinity):
        text = measure.__doc__
        part = commands.add_parser(
            measure.__name__, help=text.splitlines()[0], description=text
        )
        part.set_defaults(measure=measure)
        parts[measure] = part
    cores = os.cpu_count() or 1
    add_box_options(parts[labels])
    add_mask_option(parts[labels])
    add_box_options(parts[growth])
    parts[growth].add_argument(
        '--images',
        type=positive_int,
        default=4,
        metavar='N',
        help='take the first N images with boxes (default: %(default)s)',
    )
    add_model_arguments(parts[crf])
    parts[crf].add_argument(
        '--images',
        type=positive_int,
        metavar='N',
        help='take N images of the test split (default: all)',
    )
    for part, workers in ((parts[labels], max(2, cores)), (parts[crf], cores)):
        part.add_argument(
            '--workers',
            type=positive_int,
            default=workers,
            help='processes of the rows with several (default: %(default)s)',
        )
    return result


if __name__ == '__main__':
    run(main, parser())
