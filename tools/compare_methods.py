"""Write one HTML page that compares methods: a table, and images to look at.

Methods are folders of label maps or checkpoints. The page needs no network
and shows the images on which the last method gains most over the first, and
loses most.
"""

import os
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from pathlib import Path

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    UsageError,
    add_box_options,
    positive_int,
    read_boxes,
    read_classes,
    run,
)
from box2seg_mmseg.evaluation import format_iou_table
from box2seg_mmseg.experiments import compare_methods, predict_folder
from box2seg_mmseg.models.prediction import Predictor
from box2seg_mmseg.visualization import draw_comparison


def main(args: Namespace) -> int:
    """Predict what is not predicted yet, judge, and write the page."""
    annotations = list(read_boxes(args, ReadingReport())[0])
    root, out = Path(args.data_root), Path(args.out)
    classes = ('background', *read_classes(args.classes))
    methods = {name: Path(folder) for name, folder in args.prediction}
    attention = None
    for name, paths in args.checkpoint:
        config, _, checkpoint = paths.partition(',')
        if not Path(config).is_file() or not Path(checkpoint).is_file():
            raise UsageError(f'{paths}: must be two files, CONFIG,CHECKPOINT')
        predictor = Predictor(config, checkpoint, args.device)
        folders = {name: out.with_suffix('') / name}
        if args.crf:
            with_crf = f'{name} + CRF'
            folders[with_crf] = out.with_suffix('') / with_crf
        predict_folder(
            predictor,
            [(item.image_id, item.image_path) for item in annotations],
            *folders.values(),
            workers=os.cpu_count() or 1,
            progress=True,
        )
        methods.update(folders)
        if predictor.has_attention:
            attention = predictor.attention
    if len(methods) < 2:
        raise UsageError('two methods are needed; see --prediction')
    reports, shown = compare_methods(
        annotations,
        root / args.mask_dir,
        classes,
        methods,
        out,
        args.title,
        f'{len(annotations)} images of {Path(args.split).name}. mIoU is the '
        'mean over the classes that occur in label maps or masks.',
        pseudo_label_dir=args.pseudo_labels,
        attention=attention,
        num_images=args.images,
        progress=True,
    )
    print(format_iou_table(reports))
    if args.figure:
        draw_comparison(args.figure, root, shown[: args.columns], methods)
    print(f'{out}: {len(shown)} images')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result, '--data-root')
    result.add_argument(
        '--mask-dir',
        default='SegmentationClass',
        help='folder of the ground-truth masks (default: %(default)s)',
    )
    result.add_argument(
        '--prediction',
        nargs='+',
        action='extend',
        type=_named,
        default=[],
        metavar='NAME=DIR',
        help='folders of label maps ID.png, as test.py --out writes them',
    )
    result.add_argument(
        '--checkpoint',
        nargs='+',
        action='extend',
        type=_named,
        default=[],
        metavar='NAME=CONFIG,CHECKPOINT',
        help='models to predict with; label maps go to a folder beside the '
        'page. The last Box2Seg shows its attention',
    )
    result.add_argument(
        '--crf',
        action='store_true',
        help='show each checkpoint with the dense CRF too',
    )
    result.add_argument(
        '--pseudo-labels', metavar='DIR', help='folder of pseudo labels'
    )
    result.add_argument(
        '--out', required=True, metavar='PAGE.html', help='page to write'
    )
    result.add_argument(
        '--figure',
        metavar='FILE.png',
        help="a picture in the layout of the supplement's Fig. 1 too",
    )
    result.add_argument(
        '--columns',
        type=positive_int,
        default=6,
        metavar='N',
        help='images in the figure, those of most gain (default: 6)',
    )
    result.add_argument(
        '--images',
        type=positive_int,
        default=12,
        metavar='N',
        help='images of most gain, and as many of most loss (default: 12)',
    )
    result.add_argument(
        '--title', default='Methods compared', help='of the page'
    )
    result.add_argument(
        '--device', default='cpu', help='of the models (default: cpu)'
    )
    return result


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition('=')
    if not name or not equals or not value:
        raise ArgumentTypeError(f'must be NAME=... Got: {text}')
    return name, value


if __name__ == '__main__':
    run(main, parser())
