"""Harm boxes as real ones are wrong: merged, missing, not aligned.

Writes each image's boxes as a PASCAL VOC XML file. Make pseudo labels from
them with generate_pseudo_labels.py --xml-dir, and train on them with
box_dir of BoxSupervisedVOCDataset.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from tqdm import tqdm

from box2seg_mmseg.boxes import (
    NOISES,
    ReadingReport,
    add_box_noise,
    write_voc_xml,
)
from box2seg_mmseg.command_line import (
    add_box_options,
    list_skipped,
    print_report,
    read_boxes,
    read_classes,
    run,
    share,
)


def main(args: Namespace) -> int:
    """Write the files and say how many boxes are left."""
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, total = read_boxes(args, report)
    classes = read_classes(args.classes)
    before = after = 0
    for item in tqdm(annotations, total=total, desc=args.kind, unit='image'):
        harmed = add_box_noise(item, args.kind, args.share, args.seed)
        path = Path(args.out, f'{item.image_id}.xml')
        path.parent.mkdir(parents=True, exist_ok=True)
        write_voc_xml(path, harmed, classes)
        before += len(item.labels)
        after += len(harmed.labels)
    print_report(report)
    print(f'{before} boxes -> {after} boxes in {args.out}')
    return list_skipped(report)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    result.add_argument('--kind', required=True, choices=list(NOISES))
    result.add_argument(
        '--share',
        required=True,
        type=share,
        help='probability that a box is harmed, in [0, 1]',
    )
    result.add_argument(
        '--seed', type=int, default=0, help='default: %(default)s'
    )
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder for the XML files'
    )
    return result


if __name__ == '__main__':
    run(main, parser())
