"""The options with which a command line says where its boxes are."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..boxes import (
    BoxAnnotations,
    ReadingReport,
    iter_coco_json,
    iter_coco_results,
    iter_open_images_csv,
    iter_voc_xml,
)
from ..errors import UsageError
from ..files import existing_folder
from ..id_lists import read_split
from .arguments import read_classes, share

FORMATS = ('voc', 'coco', 'openimages', 'detections')
SCORE_THRESHOLD = 0.5
XML_DIR = 'Annotations'
# Options that some formats have, with their defaults there. The parser's is
# None, so that one given for another format shows whatever its value.
_FORMAT_OPTIONS = {
    'xml_dir': (XML_DIR, ('voc',)),
    'boxes': (None, ('coco', 'openimages', 'detections')),
    'index': (None, ('openimages', 'detections')),
    'score_threshold': (SCORE_THRESHOLD, ('detections',)),
    'nms_iou': (None, ('detections',)),
}


def add_box_options(
    parser: ArgumentParser, data_root: str = 'data_root'
) -> None:
    """Add the data set's folder, its format and what the format needs.

    Args:
        parser: Gets the options.
        data_root: Name of the folder's argument, ``'--data-root'`` for an
            option.
    """
    parser.add_argument(
        data_root,
        **({'required': True} if data_root.startswith('-') else {}),
        help='folder of the data set; other paths begin there',
    )
    parser.add_argument(
        '--format',
        choices=FORMATS,
        default='voc',
        help='voc: Annotations/*.xml; coco: COCO instance JSON; openimages: '
        "OpenImages' box CSV; detections: COCO results JSON (default: voc)",
    )
    parser.add_argument(
        '--split',
        required=True,
        metavar='ID_FILE',
        help='text file with one image id a line: the path of an image below '
        'the image folder, without suffix',
    )
    parser.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with one foreground class a line, or coco for its 80 '
        '(default: VOC)',
    )
    parser.add_argument(
        '--image-dir',
        default='JPEGImages',
        help='folder of the images (default: %(default)s)',
    )
    parser.add_argument(
        '--xml-dir',
        help=f'folder of the XML files of voc (default: {XML_DIR})',
    )
    parser.add_argument(
        '--image-suffix',
        default='.jpg',
        help='of voc and openimages (default: %(default)s)',
    )
    parser.add_argument(
        '--boxes',
        metavar='FILE',
        help='file of the boxes. Default: boxes.json of coco; the one '
        '*annotations-bbox*.csv of openimages; of detections the one JSON '
        'file in detections/ beside the index',
    )
    parser.add_argument(
        '--index',
        metavar='FILE',
        help='what the boxes refer to. Of openimages the class descriptions, '
        'by default the one *class-descriptions*.csv; of detections the COCO '
        'file of the images, by default detections/images.json',
    )
    parser.add_argument(
        '--score-threshold',
        type=share,
        help=f'detections below it are left out (default: {SCORE_THRESHOLD})',
    )
    parser.add_argument(
        '--nms-iou',
        type=share,
        help='of detections of one class that overlap more, the best alone '
        'stays (default: all stay)',
    )
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='leave bad annotations out and list them, instead of stopping '
        'at the first; the exit status is 1 all the same',
    )


def settle_format(args: Namespace) -> None:
    """Check the options of the format, and fill in its defaults.

    For a tool that reads them before :func:`read_boxes` does this.

    Args:
        args: What :func:`add_box_options` parsed; options of the format that
            were not given get their defaults.

    Raises:
        UsageError: An option belongs to another format.
    """
    for name, (default, formats) in _FORMAT_OPTIONS.items():
        if args.format in formats:
            if getattr(args, name) is None:
                setattr(args, name, default)
        elif getattr(args, name) is not None:
            raise UsageError(
                f'--{name.replace("_", "-")} is an option of --format '
                f'{" or ".join(formats)}'
            )


def read_boxes(
    args: Namespace,
    report: ReadingReport,
    image_ids: Sequence[str] | None = None,
) -> tuple[Iterator[BoxAnnotations], int]:
    """The boxes that a command line asks for.

    Args:
        args: What :func:`add_box_options` parsed.
        report: Counts what is read.
        image_ids: The images; by default those of the split.

    Returns:
        The annotations, and how many there are if none is bad.

    Raises:
        UsageError: A file is not there, or an option belongs to another
            format.
        AnnotationError: As the readers.
    """
    settle_format(args)
    root = existing_folder(args.data_root)
    ids = read_split(args.split) if image_ids is None else image_ids
    classes = read_classes(args.classes)
    images = root / args.image_dir
    if args.format == 'voc':
        annotations = iter_voc_xml(
            root,
            ids,
            classes,
            image_dir=args.image_dir,
            xml_dir=args.xml_dir,
            image_suffix=args.image_suffix,
            report=report,
        )
    elif args.format == 'coco':
        annotations = iter_coco_json(
            _file(root, args.boxes, '--boxes', 'boxes.json'),
            images,
            ids,
            classes,
            report=report,
        )
    elif args.format == 'openimages':
        annotations = iter_open_images_csv(
            _file(root, args.boxes, '--boxes', '*annotations-bbox*.csv'),
            _file(root, args.index, '--index', '*class-descriptions*.csv'),
            images,
            ids,
            classes,
            image_suffix=args.image_suffix,
            report=report,
        )
    else:
        index = _file(root, args.index, '--index', 'detections/images.json')
        annotations = iter_coco_results(
            _file(root, args.boxes, '--boxes', 'detections/*.json', index),
            index,
            images,
            ids,
            classes,
            score_threshold=args.score_threshold,
            nms_iou=args.nms_iou,
            report=report,
        )
    return annotations, len(ids)


def add_mask_option(parser: ArgumentParser) -> None:
    """Add the folder of the ground-truth masks, for :func:`read_masks`."""
    parser.add_argument(
        '--mask-dir',
        default='SegmentationClass',
        help='folder of the ground-truth masks (default: %(default)s)',
    )


def read_masks(args: Namespace) -> tuple[Path, tuple[str, ...]]:
    """Where the masks are, and what their labels mean.

    Args:
        args: What :func:`add_box_options` and :func:`add_mask_option` parsed.

    Returns:
        The folder, and the names of all classes, background first.

    Raises:
        UsageError: There is no such folder.
    """
    classes = ('background', *read_classes(args.classes))
    return existing_folder(Path(args.data_root, args.mask_dir)), classes


def list_skipped(report: ReadingReport) -> int:
    """Print each entry that was left out; the exit status that this means."""
    for error in report.skipped:
        print(f'left out: {error}', file=sys.stderr)
    return 1 if report.skipped else 0


def print_report(report: ReadingReport) -> None:
    """Print what became of the entries that were read."""
    print(
        f'{report.num_read} annotations read: {report.num_used} used, '
        f'{report.num_other_classes} of other classes, '
        f'{report.num_other_images} of other images, '
        f'{len(report.skipped)} bad'
    )


def _file(
    root: Path,
    given: str | None,
    option: str,
    pattern: str,
    but: Path | None = None,
) -> Path:
    """The file that an option names, or the one that the pattern finds."""
    if given is not None:
        # A path as the shell completes it, or below the data set's folder.
        path = Path(given) if Path(given).exists() else root / given
        if not path.is_file():
            raise UsageError(f'{given}: no such file; see {option}')
        return path
    found = sorted(path for path in root.glob(pattern) if path != but)
    if len(found) != 1:
        raise UsageError(
            f'{root}/{pattern}: {len(found)} such files; name one with '
            f'{option}'
        )
    return found[0]
