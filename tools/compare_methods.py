"""Compare methods on one HTML page: a table of IoU, and images.

A method is a folder of label maps (--prediction) or a checkpoint
(--checkpoint). The methods appear in the given order. The page is one
file that works offline. It shows the images on which the last method gains
most over the first, and those on which it loses most.
"""

import os
import sys
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_device_option,
    add_mask_option,
    add_trust_option,
    list_skipped,
    out_file,
    positive_int,
    read_boxes,
    read_masks,
    run,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import existing_folder
from box2seg_mmseg.installed import find_config


def main(args: Namespace) -> int:
    """Predict with the checkpoints, judge, and write the page."""
    from comparison.comparison import compare_methods

    from box2seg_mmseg.evaluation import format_iou_table
    from box2seg_mmseg.visualization import draw_comparison

    report = ReadingReport(skip_bad=args.skip_bad)
    annotations = list(read_boxes(args, report)[0])
    images = {item.image_id: item.image_path for item in annotations}
    mask_dir, classes = read_masks(args)
    methods, attention = _methods(args, images, classes[1:])
    reports, shown = compare_methods(
        annotations,
        mask_dir,
        classes,
        methods,
        args.out,
        args.title,
        f'{len(annotations)} images of {Path(args.split).name}. mIoU is the '
        'mean IoU of the classes that occur in label maps or masks.',
        pseudo_label_dir=args.pseudo_labels,
        attention=attention,
        num_images=args.images,
        progress=True,
    )
    print(format_iou_table(reports))
    if args.figure:
        columns = {name: images[name] for name in shown[: args.columns]}
        draw_comparison(args.figure, columns, mask_dir, methods)
    print(f'{args.out}: {len(shown)} images')
    return list_skipped(report)


def _methods(
    args: Namespace, images: Mapping[str, str], classes: Sequence[str]
) -> tuple[dict[str, Path], Callable[[str], np.ndarray] | None]:
    """Find the folder of each method, and predict with the checkpoints.

    All arguments are checked before anything is predicted. ``classes`` are
    the foreground classes of the boxes.

    Returns:
        The folders by the methods' names, and what computes attention maps,
        or None.
    """
    from box2seg_mmseg.apis.predict_folder import predict_folder
    from box2seg_mmseg.apis.predictor import Predictor
    from box2seg_mmseg.pseudo_labels.label_check import check_label_folder

    if args.pseudo_labels is not None:
        folder = existing_folder(args.pseudo_labels)
        check_label_folder(folder, [], classes)
        _warn_of_missing(folder, images)
    if args.out.suffix != '.html':
        raise UsageError(f'{args.out}: the page must end in .html')
    methods: dict[str, Path] = {}
    models = []
    for kind, name, value in args.methods:
        names = [name]
        if kind == 'prediction':
            folders = [existing_folder(value)]
        else:
            config, _, checkpoint = value.partition(',')
            config = find_config(config)
            if not Path(checkpoint).is_file():
                raise UsageError(
                    f'{value}: must be two files, CONFIG,CHECKPOINT'
                )
            predictor = Predictor(
                config,
                checkpoint,
                args.device,
                args.crf,
                workers=os.cpu_count(),
                trust=args.trust_checkpoint,
            )
            predictor.check_box_classes(classes)
            if predictor.refiner is not None:
                names.append(f'{name} + CRF')
            folders = [args.out.with_suffix('') / n for n in names]
            models.append((predictor, folders))
        for method, folder in zip(names, folders, strict=True):
            if method in methods:
                raise UsageError(
                    f'{method}: two methods have this name; rename one'
                )
            methods[method] = folder
    if len(methods) < 2:
        raise UsageError('two methods are needed; see --prediction')
    attention = None
    for predictor, folders in models:
        predict_folder(predictor, images, *folders, progress=True)
        if predictor.has_attention:
            attention = predictor.attention
    return methods, attention


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result, '--data-root')
    add_mask_option(result)
    result.add_argument(
        '--prediction',
        nargs='+',
        action='extend',
        dest='methods',
        type=partial(_named, 'prediction'),
        default=[],
        metavar='NAME=DIR',
        help='folders of label maps ID.png, as test.py --out writes them',
    )
    result.add_argument(
        '--checkpoint',
        nargs='+',
        action='extend',
        dest='methods',
        type=partial(_named, 'checkpoint'),
        default=[],
        metavar='NAME=CONFIG,CHECKPOINT',
        help='models to predict with; their label maps go to a folder beside '
        'the page. The attention of the last Box2Seg model is shown',
    )
    result.add_argument(
        '--crf',
        action='store_true',
        help='show each checkpoint with the dense CRF too, even if its config '
        'has no test_cfg.crf',
    )
    result.add_argument(
        '--pseudo-labels',
        metavar='DIR',
        help='folder of pseudo labels of the same images, to show beside them',
    )
    result.add_argument(
        '--out',
        type=out_file,
        required=True,
        metavar='PAGE.html',
        help='page to write; its folder is created if needed',
    )
    result.add_argument(
        '--figure',
        type=out_file,
        metavar='FILE.png',
        help="also draw a figure in the layout of the supplement's Fig. 1",
    )
    result.add_argument(
        '--columns',
        type=positive_int,
        default=6,
        metavar='N',
        help='images in the figure, those with the largest gain (default: 6)',
    )
    result.add_argument(
        '--images',
        type=positive_int,
        default=12,
        metavar='N',
        help='images with the largest gain, and as many with the largest '
        'loss (default: 12)',
    )
    result.add_argument(
        '--title', default='Comparison of methods', help='title of the page'
    )
    add_device_option(result)
    add_trust_option(result)
    return result


def _warn_of_missing(folder: Path, images: Collection[str]) -> None:
    missing = [
        name for name in images if not (folder / f'{name}.png').exists()
    ]
    if missing:
        print(
            f'warning: {folder} has no pseudo label of {len(missing)} of '
            f'{len(images)} images, such as {missing[0]}; the page shows '
            'them without one; check that the labels belong to this split',
            file=sys.stderr,
        )


def _named(kind: str, text: str) -> tuple[str, str, str]:
    name, equals, value = text.partition('=')
    if not name or '/' in name or not equals or not value:
        raise ArgumentTypeError(f'must be NAME=..., without /. Got: {text}')
    return kind, name, value


if __name__ == '__main__':
    run(main, parser())
