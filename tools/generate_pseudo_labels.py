"""Write the pseudo label of every image of a split as a palette PNG."""

import os
import sys
from argparse import ArgumentParser, Namespace

from box2seg_mmseg.boxes import iter_voc_xml
from box2seg_mmseg.command_line import (
    positive_int,
    read_classes,
    read_split,
    run,
)
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels
from box2seg_mmseg.pseudo_labels.grab_cut import BACKENDS


def main(args: Namespace) -> int:
    """Make the labels and print what was made."""
    if args.method == 'grabcut':
        cfg = dict(
            type='GrabCut',
            iterations=args.iterations,
            seed=args.seed,
            backend=args.backend,
        )
    else:
        cfg = dict(type='BoxFill')
    errors: list[object] = []
    annotations = iter_voc_xml(
        args.data_root,
        read_split(args.split),
        classes=read_classes(args.classes),
        image_suffix=args.image_suffix,
        on_error=errors.append,
    )
    summary = generate_pseudo_labels(
        annotations,
        build_labeler(cfg),
        args.out,
        workers=args.workers,
        progress=True,
    )
    print(
        f'{summary.num_images} images, {summary.num_boxes} boxes -> {args.out}'
    )
    for reason, count in sorted(summary.fallbacks.items()):
        print(f'{count} boxes filled instead of segmented: {reason}')
    errors += summary.errors
    for error in errors:
        print(f'not labelled: {error}', file=sys.stderr)
    return 1 if errors else 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    result.add_argument(
        'data_root', help='folder in the layout of VOCdevkit/VOC2012'
    )
    result.add_argument(
        '--format',
        choices=['voc'],
        default='voc',
        help='what the boxes are read from: Annotations/*.xml',
    )
    result.add_argument(
        '--split',
        required=True,
        metavar='ID_FILE',
        help='text file with one image id a line',
    )
    result.add_argument(
        '--method',
        choices=['grabcut', 'box_fill'],
        default='grabcut',
        help='grabcut: Algorithm 1 of the paper; box_fill: filled boxes',
    )
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder for the PNGs'
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        default=os.cpu_count() or 1,
        help='processes (default: one a core, %(default)s here)',
    )
    result.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with one foreground class a line (default: VOC)',
    )
    result.add_argument(
        '--image-suffix', default='.jpg', help='default: %(default)s'
    )
    result.add_argument(
        '--iterations',
        type=positive_int,
        default=5,
        help='of GrabCut (default: %(default)s)',
    )
    result.add_argument(
        '--seed', type=int, default=0, help='of GrabCut (default: %(default)s)'
    )
    result.add_argument(
        '--backend',
        choices=list(BACKENDS),
        default='numba',
        help="of GrabCut: numba, compiled once on a machine, gives opencv's "
        'masks in a fraction of its time (default: %(default)s)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
