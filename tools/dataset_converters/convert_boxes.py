"""Write boxes of any format as PASCAL VOC XML files, one for each image.

With --noise some boxes get the errors of real annotations: merged, dropped or
jittered boxes. Make pseudo labels of the result with generate_pseudo_labels.py
--xml-dir, and train on it with box_dir of BoxSupervisedVOCDataset.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from tqdm import tqdm

from box2seg_mmseg.boxes import (
    NOISES,
    VOCXML,
    ReadingReport,
    add_box_noise,
    write_voc_xml,
)
from box2seg_mmseg.command_line import (
    add_box_options,
    check_not_read,
    list_skipped,
    natural_number,
    print_report,
    read_box_source,
    read_boxes,
    run,
    share,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import replacing


def main(args: Namespace) -> int:
    """Write the files and print how many boxes they have."""
    if (args.noise is None) != (args.share is None):
        raise UsageError('--noise and --share go together')
    source = read_box_source(args)
    if isinstance(source, VOCXML):
        check_not_read(args.out, source.xml_dir)
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, total = read_boxes(args, report)
    before = after = 0
    for item in tqdm(annotations, total=total, unit='image'):
        before += len(item.labels)
        if args.noise is not None:
            item = add_box_noise(item, args.noise, args.share, args.seed)
        path = Path(args.out, f'{item.image_id}.xml')
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            write_voc_xml(part, item, source.classes)
        after += len(item.labels)
    print_report(report)
    print(f'{before} boxes -> {after} boxes in {args.out}')
    return list_skipped(report)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder for the XML files'
    )
    result.add_argument(
        '--noise',
        choices=list(NOISES),
        help='merge: join a box with the nearest of its class; drop: remove '
        'boxes; jitter: move and scale boxes',
    )
    result.add_argument(
        '--share',
        type=share,
        help='probability that a box is changed, in [0, 1]',
    )
    result.add_argument(
        '--seed',
        type=natural_number,
        default=0,
        help='default: %(default)s',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
