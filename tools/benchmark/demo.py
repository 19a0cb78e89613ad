"""Box, GrabCut and Box2Seg from boxes to a table and a picture.

Makes the pseudo labels, trains and tests each method with mmseg's stock
tools, prints a table of means over the seeds and draws the methods one below
the other. Without DATA_ROOT it uses scenes that it renders itself.
"""

import os
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from box2seg_mmseg.command_line import natural_number, positive_int, run
from box2seg_mmseg.installed import installed_files

CONFIG_ROOT = installed_files('configs')


def main(args: Namespace) -> int:
    """Run the demo and print its table."""
    from demo_run import run_demo

    work_dir = args.work_dir
    if work_dir is None:
        work_dir = 'work_dirs/demo'
        if args.data_root is not None:
            work_dir += f'-{Path(args.data_root).resolve().name}'
    table = run_demo(
        CONFIG_ROOT,
        work_dir,
        data_root=args.data_root,
        methods=args.methods,
        seeds=args.seeds,
        workers=args.workers,
        resume=args.resume,
    )
    print(f'\n{table}')
    print(f'table.md and figure.png are in {work_dir}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument(
        'data_root',
        nargs='?',
        help='folder in the layout of VOCdevkit/VOC2012 with VOC classes and '
        'the splits train and val (default: rendered scenes)',
    )
    result.add_argument(
        '--work-dir',
        metavar='DIR',
        help='where everything goes (default: work_dirs/demo, with data '
        'work_dirs/demo-NAME)',
    )
    result.add_argument(
        '--methods',
        nargs='+',
        choices=['box', 'grabcut', 'box2seg', 'full'],
        default=['box', 'grabcut', 'box2seg'],
        help='default: %(default)s; full needs DATA_ROOT',
    )
    result.add_argument(
        '--seeds',
        nargs='+',
        type=natural_number,
        default=[0, 1],
        help='train each method once for each (default: 0 1)',
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        default=os.cpu_count() or 1,
        help='processes that make the pseudo labels (default: one per core)',
    )
    result.add_argument(
        '--resume',
        action='store_true',
        help='resume an interrupted demo of the same arguments',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
