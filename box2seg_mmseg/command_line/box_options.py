"""The options with which a command line says where its boxes are."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from ..boxes import (
    BOX_SOURCES,
    AnnotationError,
    BoxAnnotations,
    BoxSource,
    ReadingReport,
    require_boxes,
)
from ..errors import UsageError
from ..files import existing_folder
from .arguments import read_classes
from .choices import add_choice, read_choice
from .custom_imports import add_custom_imports


def add_box_options(
    parser: ArgumentParser, data_root: str = 'data_root'
) -> None:
    """Add the folder of the data set, its format and the format's options.

    Every registered box source that has a ``format`` is a choice; see
    :func:`add_choice`.

    Args:
        parser: Gets the options.
        data_root: Name of the folder's argument, ``'--data-root'`` for an
            option.
    """
    add_custom_imports(parser)
    parser.add_argument(
        data_root,
        **({'required': True} if data_root.startswith('-') else {}),
        help='folder of the data set; paths of images and boxes are relative '
        'to it',
    )
    parser.add_argument(
        '--split',
        required=True,
        metavar='ID_FILE',
        help='text file with one image id on each line: the path of an image '
        'below the image folder, without suffix',
    )
    parser.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with one foreground class on each line, or coco for '
        "its 80 (default: VOC's 20; for yolo, those of data.yaml)",
    )
    folders: dict[str, list[str]] = {}
    for cls in BOX_SOURCES:
        if cls.format is not None:
            folders.setdefault(cls.default_image_dir, []).append(cls.format)
    defaults = [f'{k} of {", ".join(v)}' for k, v in folders.items()]
    parser.add_argument(
        '--image-dir',
        metavar='DIR',
        help=f'folder of the images (default: {"; ".join(defaults)})',
    )
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='leave out bad annotations and list them, instead of stopping '
        'at the first; the exit status is still 1',
    )
    add_choice(
        parser, BOX_SOURCES, 'format', 'voc', 'how the boxes are stored'
    )


def read_box_source(args: Namespace) -> BoxSource:
    """The box source that a parser with :func:`add_box_options` asks for.

    Raises:
        UsageError: A folder or file does not exist, or an option belongs to
            another format or is out of range.
        ValueError: The class names are invalid.
    """
    source, given = read_choice(args, BOX_SOURCES, 'format')
    root = existing_folder(args.data_root)
    classes = None if args.classes is None else read_classes(args.classes)
    try:
        return source(root, classes, args.image_dir, **given)
    except AnnotationError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None


def read_boxes(
    args: Namespace, report: ReadingReport
) -> tuple[Iterator[BoxAnnotations], int]:
    """The boxes that a command line asks for, and their images' number.

    Fewer images come if bad ones are skipped.

    Raises:
        UsageError: As :func:`read_box_source`, or the split does not exist.
        AnnotationError: An annotation is bad, or no image has a box.
    """
    source = read_box_source(args)
    ids = source.image_ids(args.split)
    annotations = source.read(ids, report)
    return require_boxes(annotations, report, source.classes), len(ids)


def add_mask_option(parser: ArgumentParser) -> None:
    """Add the folder of the ground-truth masks, for :func:`read_masks`."""
    parser.add_argument(
        '--mask-dir',
        default='SegmentationClass',
        help='folder of the ground-truth masks (default: %(default)s)',
    )


def read_masks(args: Namespace) -> tuple[Path, tuple[str, ...]]:
    """The folder of the masks, and all classes, background first.

    ``args`` are what :func:`add_box_options` and :func:`add_mask_option`
    parsed.

    Raises:
        UsageError: There is no such folder.
    """
    classes = ('background', *read_box_source(args).classes)
    return existing_folder(Path(args.data_root, args.mask_dir)), classes


def list_skipped(report: ReadingReport) -> int:
    """Print each entry that was left out, and return the exit status."""
    for error in report.skipped:
        print(f'left out: {error}', file=sys.stderr)
    return 1 if report.skipped else 0


def print_report(report: ReadingReport) -> None:
    """Print how many annotations were read, used and left out."""
    print('\n'.join(report.summary()))
