"""Export a trained Box2Seg model as a plain mmseg model.

Writes OUT_DIR/segmentor.py and OUT_DIR/segmentor.pth, which the stock tools
run on a machine without this package.

This works for models whose parts all come from mmseg, such as the MobileNetV2
of configs/custom. A model with EfficientNetLite or MergeClasses needs this
package wherever it runs. It is refused, unless --allow-plugin is given.

--onnx writes OUT_DIR/segmentor.onnx as well, for onnxruntime: from RGB images
of any size to the logits of each class. It needs the extra 'onnx', and torch
2.9.1 or newer. The file is compared with the model before it is kept.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from box2seg_mmseg.command_line import (
    add_model_arguments,
    check_model_files,
    run,
)


def main(args: Namespace) -> int:
    """Export the model and print the paths."""
    from box2seg_mmseg.apis.export_segmentor import export_segmentor

    check_model_files(args)
    if args.onnx:
        from box2seg_mmseg.apis.export_onnx import export_onnx, require_onnx

        require_onnx()
    config, checkpoint, foreign = export_segmentor(
        args.config,
        args.checkpoint,
        args.out_dir,
        args.allow_plugin,
        args.trust_checkpoint,
    )
    print(config, checkpoint, sep='\n')
    if args.onnx:
        path = Path(args.out_dir, 'segmentor.onnx')
        difference = export_onnx(config, checkpoint, path)
        print(path)
        print(
            f'{path}: onnxruntime and torch differ by at most '
            f'{difference:.1e}',
            file=sys.stderr,
        )
    if foreign:
        print(
            f'warning: {config} needs box2seg_mmseg wherever it runs, for '
            f'{", ".join(foreign)}',
            file=sys.stderr,
        )
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_model_arguments(result)
    result.add_argument('out_dir', help='folder for the exported model')
    result.add_argument(
        '--allow-plugin',
        action='store_true',
        help='also export a model that needs box2seg_mmseg wherever it runs',
    )
    result.add_argument(
        '--onnx',
        action='store_true',
        help="also write an ONNX file; needs the extra 'onnx'",
    )
    return result


if __name__ == '__main__':
    run(main, parser())
