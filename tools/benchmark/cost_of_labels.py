"""Print what GrabCut's pseudo labels cost on this machine, and their mIoU.

cv2.grabCut and the exact numba backend on one core, the latter with several
workers and on Ray, and the options that see less of a photograph. The last
column is the share of the boxes whose masks are those of cv2.grabCut.
"""

import os
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from importlib.util import find_spec

from label_cost import measure_labels

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_mask_option,
    list_skipped,
    positive_int,
    print_report,
    read_boxes,
    read_masks,
    run,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.pseudo_labels import GrabCut


def main(args: Namespace) -> int:
    """Measure each row and print the table."""
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
        # Last, for the cluster stays until the end.
        ('numba', GrabCut(), 'ray', several),
    ]
    if find_spec('ray') is None:
        print("no Ray here; its row needs pip install 'box2seg-mmseg[ray]'")
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


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    add_mask_option(result)
    result.add_argument(
        '--workers',
        type=positive_int,
        default=max(2, os.cpu_count() or 1),
        help='of the rows with several (default: one a core, %(default)s '
        'here)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
