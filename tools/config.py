"""Write a config for your own data, or a shipped config in one file.

With --data FOLDER it detects the format of the boxes, the classes and the
suffix of the images, and writes a short config that inherits a shipped one.
With a NAME, such as box2seg/FILE.py, it writes that config with everything
that it inherits into one file, which mmseg's own tools/train.py can run.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from own_data.box_formats import FORMATS
from own_data.config_text import (
    next_commands,
    write_own_config,
    write_shipped_config,
)
from own_data.folder import find_own_data

from box2seg_mmseg.command_line import out_file, run
from box2seg_mmseg.errors import UsageError

_DATA_OPTIONS = (
    'format',
    'boxes',
    'classes',
    'image_dir',
    'image_suffix',
    'split',
)


def main(args: Namespace) -> int:
    """Write the config and print what was found."""
    if (args.name is None) == (args.data is None):
        raise UsageError('give either the NAME of a config or --data FOLDER')
    out = args.out
    if out.suffix != '.py':
        raise UsageError(f'{out}: the name of a config ends in .py')
    if out.exists() and not args.overwrite:
        raise UsageError(f'{out}: exists; give --overwrite to replace it')
    options = {name: getattr(args, name) for name in _DATA_OPTIONS}
    if args.name is not None:
        for name, value in options.items():
            if value is not None:
                option = name.replace('_', '-')
                raise UsageError(f'--{option} is an option of --data')
        write_shipped_config(args.name, out)
        print(f'wrote {out}')
        return 0
    data = find_own_data(args.data, **options)
    print(
        f'boxes: {data.format}, {data.box_file or data.root / "Annotations"}'
    )
    print(f'images: {len(data.image_ids)} to train on, in {data.image_dir}')
    print(f'suffix: {", ".join(data.image_suffixes)}')
    print(f'classes: {", ".join(data.classes)}')
    print(*write_own_config(data, out), sep='\n')
    if data.test_suffix is None:
        print(
            '`box2seg test` needs one suffix for all images of val.txt; list '
            'only such images there and run this again with --overwrite'
        )
    print('next:', *next_commands(data, out), sep='\n  ')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument(
        'name',
        nargs='?',
        help='a config file, or the name of a shipped config',
    )
    result.add_argument(
        '--data', metavar='FOLDER', help='folder of your images and boxes'
    )
    result.add_argument(
        '--out',
        required=True,
        type=out_file,
        metavar='FILE',
        help='the config to write',
    )
    result.add_argument(
        '--overwrite', action='store_true', help='replace FILE if it exists'
    )
    data = result.add_argument_group(
        'options of --data, needed only if the folder is ambiguous'
    )
    data.add_argument(
        '--format', choices=list(FORMATS), help='format of the boxes'
    )
    data.add_argument('--boxes', metavar='FILE', help='file of the boxes')
    data.add_argument(
        '--classes',
        metavar='FILE',
        help='text file with one class a line (default: classes.txt in the '
        'folder, else the classes that the boxes name)',
    )
    data.add_argument(
        '--image-dir',
        metavar='DIR',
        help='folder of the images (default: JPEGImages or images)',
    )
    data.add_argument(
        '--image-suffix', help='suffix of the images, such as .png'
    )
    data.add_argument(
        '--split',
        metavar='ID_FILE',
        help='text file of the images to train on, one a line, without '
        'suffix (default: train.txt in the folder; if there is none, it is '
        'written with all images that have boxes, except those of val.txt)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
