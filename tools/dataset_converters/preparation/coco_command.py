"""Write COCO's instances as masks of classes, to evaluate models.

Writes to OUT a palette PNG for each image, with class ids in COCO's order (1
person, 2 bicycle, ...), and names.txt (or the file given with --split), a list
of the images' names that every other tool accepts as --split. --names-only
writes only the list, for images of which only the boxes are needed.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from box2seg_mmseg.boxes import COCO_CLASSES
from box2seg_mmseg.command_line import read_classes
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.id_lists import write_lines

from .coco import coco_image_names, write_coco_masks


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
    split = Path(args.split or out / 'names.txt')
    write_lines(split, names)
    print(f'{len(names)} images -> {split}')
    return 0


def add_arguments(result: ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    result.add_argument('json', help='such as instances_val2017.json')
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to'
    )
    result.add_argument(
        '--names-only',
        action='store_true',
        help='write only the list of names',
    )
    result.add_argument(
        '--split',
        metavar='FILE',
        help='where the list of names goes (default: OUT/names.txt)',
    )
    result.add_argument(
        '--classes',
        metavar='FILE',
        help="text file with one foreground class a line; VOC's 20 may have "
        "VOC's names (default: COCO's 80)",
    )
