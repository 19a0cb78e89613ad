"""Judge pseudo labels as predictions: GrabCut-NoTrain-GT and -NoTrain-Det.

Makes pseudo labels from annotated boxes or, with --format detections, from a
detector's boxes, and prints their IoU by class. Nothing is trained and no
pseudo label is written. Detections are evaluated at --score-threshold and at
the best threshold of a sweep. The masks decide which one is best, so its mIoU
is an upper bound for a choice without masks.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.boxes import Detections, ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_labeler_options,
    add_mask_option,
    add_report_options,
    list_skipped,
    positive_int,
    print_report,
    read_box_source,
    read_boxes,
    read_labeler,
    read_masks,
    run,
    share,
    write_reports,
)


def main(args: Namespace) -> int:
    """Judge the labels, print the table and write what is asked for."""
    from no_train import evaluate_no_train

    source = read_box_source(args)
    thresholds = [0.0]  # annotated boxes have no scores
    if isinstance(source, Detections):
        fixed = source.score_threshold
        thresholds = [fixed, *(one for one in args.sweep if one != fixed)]
        args.format_score_threshold = min(thresholds)
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, total = read_boxes(args, report)
    results = evaluate_no_train(
        annotations,
        read_labeler(args),
        *read_masks(args),
        thresholds,
        workers=args.workers,
        progress=True,
        total=total,
    )
    print_report(report)
    if not isinstance(source, Detections):
        write_reports(args, {'GT': results[0]}, results[0])
    else:
        for threshold, result in zip(thresholds, results, strict=True):
            result['score_threshold'] = threshold
            print(f'score >= {threshold:g}: mIoU {result["mIoU"]:.1f}')
        best = max(results, key=lambda result: result['mIoU'])
        content = {'fixed': results[0], 'best': best, 'sweep': results}
        columns = {
            f'{name} ({content[name]["score_threshold"]:g})': content[name]
            for name in ('fixed', 'best')
        }
        write_reports(args, columns, content)
    return list_skipped(report)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    add_labeler_options(result)
    add_report_options(result)
    add_mask_option(result)
    result.add_argument(
        '--sweep',
        nargs='+',
        type=share,
        default=[i / 10 for i in range(1, 10)],
        metavar='SCORE',
        help='score thresholds to try; the best one is reported '
        '(default: 0.1 to 0.9)',
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        help='number of processes (default: one per core)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
