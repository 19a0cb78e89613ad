"""Masks and overlays of a folder of photographs, from a checkpoint.

No annotations are needed. OUT/masks gets a palette PNG of class ids for each
photograph, OUT/overlays the photograph with the classes painted over it. With
--crf both are of the dense CRF, and OUT/network has the network's own masks.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from box2seg_mmseg.apis.predict_folder import (
    find_photographs,
    predict_folder,
    write_overlays,
)
from box2seg_mmseg.apis.predictor import Predictor
from box2seg_mmseg.command_line import (
    add_model_arguments,
    check_model_files,
    positive_int,
    run,
)


def main(args: Namespace) -> int:
    """Predict, and list the photographs that can not be read."""
    check_model_files(args)
    images, errors = find_photographs(args.images)
    predictor = Predictor(args.config, args.checkpoint, args.device)
    out = Path(args.out)
    network, refined = out / 'masks', None
    if args.crf:
        network, refined = out / 'network', out / 'masks'
    predict_folder(
        predictor,
        list(images.items()),
        network,
        refined,
        args.workers,
        progress=True,
    )
    write_overlays(images, out / 'masks', out / 'overlays')
    print(f'{len(images)} photographs -> {out / "masks"}, {out / "overlays"}')
    for error in errors:
        print(f'not predicted: {error}', file=sys.stderr)
    return 1 if errors else 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    result.add_argument('images', help='folder of photographs')
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to'
    )
    result.add_argument(
        '--crf', action='store_true', help='refine with the dense CRF'
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        default=1,
        help='processes of the CRF (default: %(default)s)',
    )
    result.add_argument(
        '--device', default='cpu', help='such as cuda (default: %(default)s)'
    )
    return result


if __name__ == '__main__':
    run(main, parser())
