"""Print the mIoU of a folder of label maps against ground-truth masks."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from box2seg_mmseg.command_line import read_classes, read_split, run
from box2seg_mmseg.evaluation import evaluate_label_folders


def main(args: Namespace) -> int:
    """Compare, print the table and write the JSON if asked."""
    report = evaluate_label_folders(
        args.label_dir,
        args.mask_dir,
        read_split(args.split),
        ('background', *read_classes(args.classes)),
        progress=True,
    )
    for name, iou in report['IoU'].items():
        print(f'{name:<16}{"-" if iou is None else format(iou, ".1f"):>6}')
    print(f'{"mIoU":<16}{report["mIoU"]:>6.1f}')
    print(
        f'{report["images"]} images, {report["coverage"]:.1f} % of their '
        'pixels labelled'
    )
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + '\n')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    result.add_argument('label_dir', help='folder of the label maps to judge')
    result.add_argument('mask_dir', help='folder of the ground-truth masks')
    result.add_argument(
        '--split',
        required=True,
        metavar='ID_FILE',
        help='text file with one image id a line',
    )
    result.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with one foreground class a line (default: VOC)',
    )
    result.add_argument('--json', metavar='FILE', help='write the figures too')
    return result


if __name__ == '__main__':
    run(main, parser())
