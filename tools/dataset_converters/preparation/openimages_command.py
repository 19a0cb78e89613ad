"""Choose images of OpenImages and write their boxes in VOC's layout.

OUT gets Annotations/ID.xml, ImageSets/Segmentation/train.txt and JPEGImages, a
link to the image folder. docs/openimages.md lists which of OpenImages' classes
become which of VOC's. An image that has a bad box is left out, because all
pixels outside the boxes count as background.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.boxes.sources.open_images_table import FLAGS
from box2seg_mmseg.command_line import (
    list_skipped,
    natural_number,
    positive_int,
    print_report,
    read_classes,
    share,
)
from box2seg_mmseg.errors import UsageError

from .open_images import BoxFilter, prepare_open_images


def main(args: Namespace) -> int:
    """Prepare, and print what was chosen."""
    for path in (args.csv, args.descriptions, args.images):
        if not Path(path).exists():
            raise UsageError(f'{path}: no such file or folder')
    classes = read_classes(args.classes)
    reading = ReadingReport(skip_bad=args.skip_bad)
    report = prepare_open_images(
        args.csv,
        args.descriptions,
        args.images,
        args.out,
        per_class=args.per_class,
        box_filter=BoxFilter(args.bad, args.min_area, not args.drop_boxes),
        classes=classes,
        seed=args.seed,
        reading=reading,
        progress=True,
    )
    print_report(reading)
    print(f'{"class":20}{"images":>8}{"boxes":>8}')
    for name in classes:
        print(f'{name:20}{report.images[name]:8}{report.boxes[name]:8}')
    print(
        f'{report.images["all"]} images -> {args.out}; {report.left_out} not '
        f'good enough, {report.absent} not in {args.images}'
    )
    return list_skipped(reading)


def add_arguments(result: ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    result.add_argument('csv', help='such as oidv6-train-annotations-bbox.csv')
    result.add_argument(
        'descriptions', help='such as oidv7-class-descriptions-boxable.csv'
    )
    result.add_argument('images', help='folder of ImageID.jpg')
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to'
    )
    result.add_argument(
        '--per-class',
        type=positive_int,
        metavar='N',
        help='draw at most N images for each class; those drawn for other '
        'classes add to them (default: all)',
    )
    result.add_argument(
        '--bad',
        nargs='*',
        choices=list(FLAGS.values()),
        default=['group_of', 'depiction', 'inside'],
        help='flags that make a box bad (default: group_of depiction inside)',
    )
    result.add_argument(
        '--min-area',
        type=share,
        default=0.0,
        help='a box that covers less of its image is bad, in [0, 1] '
        '(default: %(default)s)',
    )
    result.add_argument(
        '--drop-boxes',
        action='store_true',
        help='leave out only the bad boxes, not their images',
    )
    result.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with one foreground class a line (default: VOC)',
    )
    result.add_argument(
        '--seed',
        type=natural_number,
        default=0,
        help='default: %(default)s',
    )
    result.add_argument(
        '--skip-bad',
        action='store_true',
        help='leave bad rows out, with their images unless --drop-boxes is '
        'given, and list them, instead of stopping at the first; the exit '
        'status is still 1',
    )
