"""Print what the dense CRF costs on a model's predictions, on this machine.

The plain call, over all classes, against the classes that can still win, in
this process and in worker processes.
"""

import os
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from crf_cost import measure_crf

from box2seg_mmseg.command_line import (
    add_model_arguments,
    check_model_files,
    positive_int,
    run,
)


def main(args: Namespace) -> int:
    """Measure and print the table."""
    check_model_files(args)
    cost = measure_crf(
        args.config, args.checkpoint, args.workers, args.images, progress=True
    )
    print(
        f'{cost.images} images, {os.cpu_count()} cores; the network takes '
        f'{cost.network:.3f} s an image; {cost.classes:.1f} classes enter; '
        f"{100 * cost.same:.3f} % of the pixels are the plain call's\n"
    )
    print('| dense CRF | s/image | times as fast |')
    print('|---|---:|---:|')
    for name, seconds in (
        ('all classes', cost.plain),
        ('classes that can win', cost.pruned),
        (f'the same, {args.workers} workers', cost.parallel),
    ):
        print(f'| {name} | {seconds:.3f} | {cost.plain / seconds:.2f} |')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    result.add_argument(
        '--images',
        type=positive_int,
        metavar='N',
        help='take N images of the test split (default: all)',
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        default=os.cpu_count() or 1,
        help='processes (default: one a core, %(default)s here)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
