"""The paper's experiments in miniature, on photographs and a CPU.

Runs each row with each seed through mmseg's stock tools and writes table.md,
table.csv and table.json to the work dir after each run. After an interruption
the same command resumes.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from benchmark_families import FAMILIES

from box2seg_mmseg.command_line import out_file, positive_int, run
from box2seg_mmseg.installed import installed_files

CONFIG_ROOT = installed_files('configs')


def main(args: Namespace) -> int:
    """Run the benchmark and print its table."""
    from benchmark import run_benchmark

    table = run_benchmark(
        CONFIG_ROOT,
        args.data_root,
        args.work_dir,
        only=args.only,
        num_seeds=args.seeds,
        docs=args.docs,
    )
    print(f'\n{table}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    titles = {r.name: r.title for f in FAMILIES.values() for r in f.rows}
    rows = '\n'.join(f'  {name:24}{title}' for name, title in titles.items())
    families = '\n'.join(f'  {k:24}{v.title}' for k, v in FAMILIES.items())
    result = ArgumentParser(
        description=f'{__doc__}\nrows:\n{rows}\n\nfamilies:\n{families}',
        formatter_class=RawDescriptionHelpFormatter,
    )
    result.add_argument(
        '--data-root',
        required=True,
        metavar='DIR',
        help='voc-mini, or a folder like it',
    )
    result.add_argument(
        '--work-dir',
        required=True,
        metavar='DIR',
        help='where runs, pseudo labels, features and tables go',
    )
    result.add_argument(
        '--only',
        nargs='+',
        metavar='ROW',
        help='rows to run, of every family or of one as FAMILY/ROW; or '
        'families (default: all)',
    )
    result.add_argument(
        '--seeds',
        type=positive_int,
        default=3,
        metavar='N',
        help='runs of each row (default: %(default)s)',
    )
    result.add_argument(
        '--docs',
        type=out_file,
        metavar='FILE',
        help='write the Markdown table there too, with a CSV and a JSON file '
        'beside it; runs in that JSON file are not repeated',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
