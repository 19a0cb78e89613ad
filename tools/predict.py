"""Predict masks and overlays for a folder of photographs.

No annotations are needed. For each photograph OUT/masks gets a palette PNG of
class ids and OUT/overlays the photograph with the classes painted over it.
Subfolders are searched too, except those with the results of a prediction, and
keep their names in the output.

The dense CRF runs if the config has test_cfg.crf, as in test.py. --crf turns
it on for other configs, with its default parameters. Masks and overlays are
then the CRF's, and OUT/network gets the network's own masks.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from box2seg_mmseg.command_line import (
    add_device_option,
    add_model_arguments,
    check_model_files,
    positive_int,
    run,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import existing_folder, replacing
from box2seg_mmseg.images import ImageError
from box2seg_mmseg.visualization import overlay_labels, read_photograph

SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


def find_photographs(
    folder: str | Path, excluded: Sequence[str | Path] = ()
) -> tuple[dict[str, Path], list[str]]:
    """Find the images of a folder and of its subfolders, and open each once.

    Results of earlier predictions are not searched: ``masks``, ``overlays``
    and ``network`` in a folder that has both ``masks`` and ``overlays``.

    Args:
        folder: Folder of image files. Other files, and files and folders
            whose name starts with a dot, are ignored.
        excluded: Other subfolders that are not searched.

    Returns:
        The path of each image by its name: relative to the folder and without
        the suffix, such as ``trip/day1``. And one line for each file that is
        not a readable image.

    Raises:
        UsageError: There is no such folder, it has no image, or two images
            have the same name.
    """
    folder = existing_folder(folder)
    excluded = {Path(path).resolve() for path in excluded}
    images: dict[str, Path] = {}
    errors = []
    for path in sorted(folder.rglob('*')):
        relative = path.relative_to(folder)
        if (
            path.suffix.lower() not in SUFFIXES
            or path.is_dir()
            or any(part.startswith('.') for part in relative.parts)
            or not excluded.isdisjoint(path.resolve().parents)
            or any(_has_results(folder / p) for p in relative.parents[:-1])
        ):
            continue
        name = relative.with_suffix('').as_posix()
        if name in images:
            raise UsageError(
                f'{path}: has the same name as {images[name].name}, and both '
                'would write the same mask; rename one'
            )
        try:
            read_photograph(path)
        except ImageError as error:
            errors.append(str(error))
        else:
            images[name] = path
    if not images and not errors:
        raise UsageError(f'{folder}: has no image ({", ".join(SUFFIXES)})')
    return images, errors


def _has_results(folder: Path) -> bool:
    """Whether an earlier prediction wrote the files of a folder."""
    return folder.name in ('masks', 'overlays', 'network') and all(
        (folder.parent / name).is_dir() for name in ('masks', 'overlays')
    )


def write_overlays(
    images: Mapping[str, Path], label_dir: str | Path, out_dir: str | Path
) -> None:
    """Paint label maps over their images and write JPEG files.

    Args:
        images: Path of each image by its id.
        label_dir: Folder of ``<image id>.png``.
        out_dir: Folder to write ``<image id>.jpg`` to; made if absent.

    Raises:
        UsageError: A label map does not have the size of its image.
    """
    for image_id, path in images.items():
        label_map = np.array(Image.open(Path(label_dir, f'{image_id}.png')))
        image = read_photograph(path)
        if label_map.shape != image.shape[:2]:
            sizes = [
                f'{s[1]} x {s[0]} px' for s in (label_map.shape, image.shape)
            ]
            raise UsageError(
                f'{path}: its mask has {sizes[0]} and the photograph, turned '
                f'as its EXIF data says, {sizes[1]}; the test pipeline must '
                "load images with color_type='color'"
            )
        overlay = overlay_labels(image, label_map)
        with replacing(Path(out_dir, f'{image_id}.jpg')) as part:
            Image.fromarray(overlay).save(part, format='JPEG', quality=92)


def main(args: Namespace) -> int:
    """Predict, and list the photographs that cannot be read."""
    # torch is imported only now, so that --help is fast.
    from box2seg_mmseg.apis.predict_folder import predict_folder
    from box2seg_mmseg.apis.predictor import Predictor

    check_model_files(args)
    out = Path(args.out)
    masks, overlays = out / 'masks', out / 'overlays'
    network, refined = out / 'network', masks
    images, errors = find_photographs(args.images, [masks, overlays, network])
    predictor = Predictor(
        args.config,
        args.checkpoint,
        args.device,
        args.crf,
        args.workers,
        args.trust_checkpoint,
    )
    if predictor.refiner is None:
        if args.workers is not None:
            raise UsageError(
                '--workers is for the dense CRF, which this model does not '
                'use; add --crf'
            )
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
    add_device_option(result)
    return result


if __name__ == '__main__':
    run(main, parser())
