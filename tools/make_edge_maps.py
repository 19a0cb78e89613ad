"""Write the boundary probabilities of every image of a split as a grey PNG.

The network is HED, and `generate_pseudo_labels --method grabcut_plus` uses
the result. HED was trained on boundaries that people drew, which is extra
supervision beyond boxes. A run makes only the maps that are missing or whose
image has changed, and the same command resumes a run that was interrupted.
"""

import math
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations, ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_device_option,
    list_skipped,
    positive_int,
    read_boxes,
    run,
)
from box2seg_mmseg.files import hash_of, only_run, replacing
from box2seg_mmseg.pseudo_labels.store import (
    PseudoLabelStore,
    Record,
    png_path,
)
from box2seg_mmseg.pseudo_labels.updating import update_image


def main(args: Namespace) -> int:
    """Make the maps and print a summary."""
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, total = read_boxes(args, report)
    detect, weights = _load_detector(
        args.weights, args.device, args.max_pixels
    )
    num_made, num_kept, errors = 0, 0, []
    with only_run(args.out):
        manifest = dict(
            edges='HED', weights=weights, max_pixels=args.max_pixels
        )
        store = PseudoLabelStore(args.out, manifest, args.overwrite)
        bar = tqdm(annotations, total=total, unit='image')
        for item in bar:
            done = store[item.image_id]
            record, is_kept = _update(detect, item, store.folder, done)
            store.add(record)
            if record.error is not None:
                errors.append(record.error)
            elif is_kept:
                num_kept += 1
            else:
                num_made += 1
        store.finish()
    print(
        f'{num_made + num_kept} images -> {args.out}; {num_kept} images '
        'already had a map'
    )
    status = list_skipped(report)
    for error in errors:
        print(f'no map: {error}', file=sys.stderr)
    return 1 if errors else status


def _load_detector(
    weights: Path | None, device: str, max_pixels: int
) -> tuple[Callable[[np.ndarray], np.ndarray], str]:
    """From a photograph to its map, and a hash of the weights."""
    import torch

    from box2seg_mmseg.models import HED
    from box2seg_mmseg.models.backbone_weights import load_from_box2seg
    from box2seg_mmseg.models.checkpoints import load_checkpoint_file

    if weights is None:
        state = load_from_box2seg('box2seg://hed', 'cpu')['state_dict']
    else:
        state = load_checkpoint_file(weights).state_dict
    model = HED()
    try:
        model.load_state_dict(state)
    except RuntimeError:
        raise ValueError(
            f'{weights or "box2seg://hed"}: not the weights of HED; make them '
            'with: box2seg convert_backbone hed'
        ) from None
    model.to(device).eval()

    @torch.inference_mode()
    def detect(image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        factor = min(1, math.sqrt(max_pixels / (width * height)))
        if factor < 1:
            size = [max(1, int(factor * side)) for side in (width, height)]
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        batch = torch.from_numpy(image).to(device).permute(2, 0, 1)[None]
        edges = 255 * model(batch.float())[0, 0].cpu().numpy()
        if factor < 1:
            edges = cv2.resize(edges, (width, height))
        return edges.round().astype(np.uint8)

    return detect, hash_of(*(v.numpy().tobytes() for v in state.values()))


def _update(
    detect: Callable[[np.ndarray], np.ndarray],
    item: BoxAnnotations,
    folder: Path,
    done: Record | None,
) -> tuple[Record, bool]:
    """The record of an image, and whether it is ``done``, still valid."""

    def make(image: np.ndarray, inputs: str) -> Record:
        png = cv2.imencode('.png', detect(image))[1].tobytes()
        with replacing(png_path(folder, item.image_id)) as part:
            part.write_bytes(png)
        return Record(item.image_id, inputs, hash_of(png))

    return update_image(item, folder, done, hash_of, make)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder for the PNGs'
    )
    result.add_argument(
        '--weights',
        type=Path,
        metavar='FILE',
        help='checkpoint of HED (default: what `box2seg convert_backbone hed` '
        'writes)',
    )
    result.add_argument(
        '--max-pixels',
        type=positive_int,
        default=2_000_000,
        metavar='N',
        help='shrink larger photographs to N pixels for the network, which '
        'takes about 0.8 GiB for a million (default: %(default)s)',
    )
    result.add_argument(
        '--overwrite',
        action='store_true',
        help='start over in a folder whose maps were made with other weights',
    )
    add_device_option(result)
    return result


if __name__ == '__main__':
    run(main, parser())
