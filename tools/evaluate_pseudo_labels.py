"""Print the mIoU of a folder of label maps against ground-truth masks."""

from argparse import ArgumentParser, Namespace

from box2seg_mmseg.command_line import (
    add_report_options,
    read_classes,
    run,
    write_reports,
)
from box2seg_mmseg.files import existing_folder
from box2seg_mmseg.id_lists import read_split


def main(args: Namespace) -> int:
    """Compare, print the table and write the reports if asked."""
    from box2seg_mmseg.evaluation import evaluate_label_folders
    from box2seg_mmseg.pseudo_labels.label_check import check_label_folder

    label_dir = existing_folder(args.label_dir)
    classes = read_classes(args.classes)
    if not args.one_class:
        check_label_folder(label_dir, [], classes)
    report = evaluate_label_folders(
        label_dir,
        existing_folder(args.mask_dir),
        read_split(args.split),
        ('background', *classes),
        progress=True,
        one_class=args.one_class,
    )
    write_reports(args, {'IoU': report}, report)
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    result.add_argument('label_dir', help='folder of the label maps')
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
        help='text file with one foreground class a line, or coco for its 80 '
        '(default: VOC)',
    )
    result.add_argument(
        '--one-class',
        action='store_true',
        help='evaluate object against background, whatever the class',
    )
    add_report_options(result)
    return result


if __name__ == '__main__':
    run(main, parser())
