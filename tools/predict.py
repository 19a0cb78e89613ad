"""Predict masks and overlays for a folder of photographs.

No annotations are needed. For each photograph OUT/masks gets a palette PNG of
class ids and OUT/overlays the photograph with the classes painted over it.
Subfolders are searched too and keep their names in the output.

The dense CRF runs if the config has test_cfg.crf, as in test.py. --crf turns
it on for other configs, with its default parameters. Masks and overlays are
then the CRF's, and OUT/network gets the network's own masks.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from box2seg_mmseg.command_line import (
    add_model_arguments,
    check_model_files,
    positive_int,
    run,
)


def main(args: Namespace) -> int:
    """Predict, and list the photographs that cannot be read."""
    from box2seg_mmseg.apis.predict_folder import (
        find_photographs,
        predict_folder,
        write_overlays,
    )
    from box2seg_mmseg.apis.predictor import Predictor

    check_model_files(args)
    out = Path(args.out)
    masks, overlays = out / 'masks', out / 'overlays'
    network, refined = out / 'network', masks
    images, errors = find_photographs(args.images, [masks, overlays, network])
    predictor = Predictor(
        args.config, args.checkpoint, args.device, args.crf, args.workers
    )
    if predictor.refiner is None:
        network, refined = masks, None
    predict_folder(predictor, images, network, refined, progress=True)
    write_overlays(images, masks, overlays)
    print(f'{len(images)} photographs -> {masks}, {overlays}')
    for error in errors:
        print(f'not predicted: {error}', file=sys.stderr)
    return 1 if errors else 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    result.add_argument(
        'images', help='folder of photographs, with its subfolders'
    )
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to'
    )
    result.add_argument(
        '--crf',
        action='store_true',
        help='refine with the dense CRF even if the config does not',
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        help='processes of the CRF (default: those of test_cfg.crf)',
    )
    result.add_argument(
        '--device',
        default='cpu',
        help='torch device, such as cuda (default: %(default)s)',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
