"""Write the pseudo label of every image of a split as a palette PNG.

The folder records how its labels were made: a run makes only the labels that
are missing or whose image or boxes have changed, and the same command resumes
a run that was interrupted.
"""

from argparse import (
    ArgumentParser,
    Namespace,
    RawDescriptionHelpFormatter,
)

from box2seg_mmseg.command_line import (
    add_box_options,
    add_labeler_options,
    label_split,
    positive_int,
    read_labeler,
    run,
)
from box2seg_mmseg.pseudo_labels import ENGINES, INSTANCE_FORMATS


def main(args: Namespace) -> int:
    """Make the labels and print a summary."""
    return label_split(
        args,
        read_labeler(args),
        'boxes filled instead of segmented',
        workers=args.workers,
        engine=args.engine,
        instances=args.instances,
    )


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder for the PNGs'
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        help='number of processes (default: one per core of the machine or '
        'cluster; 1 for a method that runs a network)',
    )
    result.add_argument(
        '--engine',
        choices=list(ENGINES),
        default='local',
        help='local: this machine; ray: the Ray cluster that RAY_ADDRESS '
        'names, whose nodes share the file system (default: local)',
    )
    result.add_argument(
        '--overwrite',
        action='store_true',
        help='start over in a folder whose labels were made with another '
        'method, parameter, version or class list',
    )
    result.add_argument(
        '--instances',
        nargs='+',
        choices=list(INSTANCE_FORMATS),
        default=[],
        metavar='FORMAT',
        help='also write one mask per box to DIR/instances, in these formats: '
        f'{", ".join(INSTANCE_FORMATS)} (needs the extra coco)',
    )
    add_labeler_options(result)
    return result


if __name__ == '__main__':
    run(main, parser())
