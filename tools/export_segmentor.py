"""Export a trained Box2Seg as a plain mmseg model.

Writes OUT_DIR/segmentor.py and OUT_DIR/segmentor.pth, which the stock tools
take on a machine without this package.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.apis.export_segmentor import export_segmentor
from box2seg_mmseg.command_line import (
    add_model_arguments,
    check_model_files,
    run,
)


def main(args: Namespace) -> int:
    """Export and say where to."""
    check_model_files(args)
    for path in export_segmentor(args.config, args.checkpoint, args.out_dir):
        print(path)
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    result.add_argument('out_dir', help='folder for the exported model')
    return result


if __name__ == '__main__':
    run(main, parser())
