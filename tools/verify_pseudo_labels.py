"""Compare the PNGs of a folder of pseudo labels with what was written."""

import sys
from argparse import ArgumentParser, Namespace

from box2seg_mmseg.command_line import run
from box2seg_mmseg.files import existing_folder
from box2seg_mmseg.pseudo_labels import verify_pseudo_labels


def main(args: Namespace) -> int:
    """Print each problem."""
    problems = 0
    for problem in verify_pseudo_labels(existing_folder(args.folder)):
        print(problem, file=sys.stderr)
        problems += 1
    print(f'{args.folder}: {problems or "no"} problems')
    return 1 if problems else 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    result.add_argument(
        'folder', help='what generate_pseudo_labels.py --out named'
    )
    return result


if __name__ == '__main__':
    run(main, parser())
