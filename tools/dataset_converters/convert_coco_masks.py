"""Write COCO's instances as masks of classes, to judge models with.

OUT gets a palette PNG for each image, class ids in COCO's order (1 person, 2
bicycle, ...), and names.txt, the images' names one a line: a split file for
every other tool. With --names-only the PNGs are left out, as for images whose
boxes alone are needed.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from box2seg_mmseg.boxes import COCO_CLASSES
from box2seg_mmseg.command_line import read_classes, run
from box2seg_mmseg.datasets.preparation import (
    coco_image_names,
    write_coco_masks,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import replacing


def main(args: Namespace) -> int:
    """Write and count."""
    if not Path(args.json).is_file():
        raise UsageError(f'{args.json}: no such file')
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    if args.names_only:
        names = coco_image_names(args.json)
    else:
        classes = COCO_CLASSES
        if args.classes is not None:
            classes = read_classes(args.classes)
        names = write_coco_masks(args.json, out, classes, progress=True)
    with replacing(out / 'names.txt') as part:
        part.write_text(''.join(f'{name}\n' for name in names))
    print(f'{len(names)} images -> {out}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument('json', help='such as instances_val2017.json')
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to'
    )
    result.add_argument(
        '--names-only', action='store_true', help='write names.txt alone'
    )
    result.add_argument(
        '--classes',
        metavar='FILE',
        help="text file with one foreground class a line; VOC's 20 may have "
        "VOC's names (default: COCO's 80)",
    )
    return result


if __name__ == '__main__':
    run(main, parser())
