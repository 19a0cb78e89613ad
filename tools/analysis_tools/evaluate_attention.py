"""Print a model's attention where pseudo labels are right and wrong.

The pixels inside boxes are grouped by whether pseudo label and ground-truth
mask call them object. The table shows for each group its share, the mean
attention, and the mean probability of the boxes' class. A loss that helps
gives wrong labels a lower weight than right ones.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_device_option,
    add_mask_option,
    add_model_arguments,
    check_model_files,
    list_skipped,
    read_boxes,
    read_masks,
    run,
)


def main(args: Namespace) -> int:
    """Predict, compare and print the table."""
    from attention_statistics import attention_statistics

    from box2seg_mmseg.apis.predictor import Predictor

    check_model_files(args)
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, total = read_boxes(args, report)
    mask_dir, classes = read_masks(args)
    predictor = Predictor(
        args.config,
        args.checkpoint,
        args.device,
        trust=args.trust_checkpoint,
    )
    predictor.check_box_classes(classes[1:], args.one_class)
    cases = attention_statistics(
        annotations,
        lambda path: predictor.predict(path)[1].cpu().numpy(),
        predictor.attention if predictor.has_attention else None,
        args.pseudo_labels,
        mask_dir,
        len(classes),
        one_class=args.one_class,
        progress=True,
        total=total,
    )
    print('| pixels in boxes | share | attention | probability |')
    print('|---|---:|---:|---:|')
    for one in cases:
        attention = '-' if one.attention is None else f'{one.attention:.2f}'
        print(
            f'| {one.case} | {100 * one.share:.1f} % | {attention} | '
            f'{one.probability:.2f} |'
        )
    return list_skipped(report)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    add_box_options(result, '--data-root')
    add_mask_option(result)
    result.add_argument(
        '--pseudo-labels',
        required=True,
        metavar='DIR',
        help='folder of the pseudo labels that the model was trained on',
    )
    result.add_argument(
        '--one-class',
        action='store_true',
        help='the model knows only object and background (MergeClasses)',
    )
    add_device_option(result)
    return result


if __name__ == '__main__':
    run(main, parser())
