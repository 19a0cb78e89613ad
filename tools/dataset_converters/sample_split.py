"""Draw a share of a split's images, such as the few that have masks."""

from argparse import ArgumentParser, Namespace

from box2seg_mmseg.command_line import (
    check_not_read,
    natural_number,
    out_file,
    run,
    share,
)
from box2seg_mmseg.id_lists import read_split, sample_split, write_lines


def main(args: Namespace) -> int:
    """Write the drawn ids."""
    check_not_read(args.out, args.split)
    ids = read_split(args.split)
    drawn = sample_split(ids, args.share, args.seed)
    write_lines(args.out, drawn)
    print(f'{len(drawn)} of {len(ids)} images -> {args.out}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    result.add_argument('split', help='text file with one image id a line')
    result.add_argument(
        '--share',
        required=True,
        type=share,
        help='share of the images to draw, in [0, 1]',
    )
    result.add_argument(
        '--seed',
        type=natural_number,
        default=0,
        help='default: %(default)s',
    )
    result.add_argument(
        '--out', required=True, type=out_file, metavar='FILE', help='to write'
    )
    return result


if __name__ == '__main__':
    run(main, parser())
