"""Refine pseudo labels with a network that was trained on them.

The new segment of a box comes from the network's probabilities, the old label
and a dense CRF; a class can appear only in its boxes. The network should not
have been trained on the images that it labels: train on a part of the split,
and label the rest. train_rounds does all of that in one command.

The folder records how its labels were made, with the hash of the checkpoint:
a run makes only the labels that are missing or whose image, boxes or old
label have changed, and the same command resumes a run that was interrupted.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.command_line import (
    add_box_options,
    add_device_option,
    add_model_arguments,
    add_refinement_options,
    check_model_files,
    check_not_read,
    label_split,
    read_box_source,
    run,
    share,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import existing_folder


def main(args: Namespace) -> int:
    """Make the labels and print a summary."""
    # torch is imported only now, so that --help is fast.
    from box2seg_mmseg.apis.refined_labels import RefinedLabels
    from box2seg_mmseg.pseudo_labels.label_check import check_label_folder

    check_model_files(args)
    existing_folder(args.labels)
    check_not_read(args.out, args.labels)
    classes = read_box_source(args).classes
    check_label_folder(args.labels, [], classes)
    try:
        labeler = RefinedLabels(
            args.config,
            args.checkpoint,
            args.labels,
            args.network_share,
            args.confidence,
            args.gamma,
            args.tightness,
            args.least_filling,
            not args.no_crf,
            args.scales,
            args.device,
            args.trust_checkpoint,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    labeler.check_classes(classes)
    return label_split(args, labeler, 'boxes', workers=None)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    result.add_argument(
        '--labels', required=True, metavar='DIR', help='the old labels'
    )
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder for the new PNGs'
    )
    result.add_argument(
        '--network-share',
        type=share,
        default=0.5,
        help='weight of the network; the old label has the rest '
        '(default: %(default)s)',
    )
    result.add_argument(
        '--confidence',
        type=share,
        default=0.7,
        help='probability that an old label stands for, from 0.5 '
        '(default: %(default)s)',
    )
    result.add_argument(
        '--gamma',
        type=share,
        default=0.9,
        help="raise the network's mean probability in a box to at least this "
        "share of the old label's filling rate (default: %(default)s)",
    )
    result.add_argument(
        '--least-filling',
        type=share,
        default=0.2,
        help='a box keeps its old label if the new one would fill less than '
        'this share of it (default: %(default)s)',
    )
    result.add_argument(
        '--scales',
        type=float,
        nargs='+',
        default=[1, 1.5],
        help='the network sees each image at these multiples of the test '
        'size, and their probabilities are averaged (default: 1 1.5)',
    )
    result.add_argument(
        '--overwrite',
        action='store_true',
        help='start over in a folder whose labels were made in another way',
    )
    add_refinement_options(result)
    add_device_option(result)
    add_box_options(result)
    return result


if __name__ == '__main__':
    run(main, parser())
