"""Predict a folder of images: label maps and overlays."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmseg.structures import SegDataSample
from PIL import Image
from tqdm import tqdm

from ..errors import UsageError
from ..files import existing_folder, replacing
from ..images import ImageError, decode_image, read_image_bytes
from ..label_maps import write_label_png
from ..visualization import overlay_labels, read_photograph
from .predictor import Predictor

SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


def find_photographs(
    folder: str | Path, excluded: Sequence[str | Path] = ()
) -> tuple[dict[str, Path], list[str]]:
    """Find the images of a folder and of its subfolders, and open each once.

    Args:
        folder: Folder of image files. Other files, and files and folders
            whose name starts with a dot, are ignored.
        excluded: Subfolders that are not searched, such as those of earlier
            results.

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
        ):
            continue
        name = relative.with_suffix('').as_posix()
        if name in images:
            raise UsageError(
                f'{path}: has the same name as {images[name].name}, and both '
                'would write the same mask; rename one'
            )
        try:
            decode_image(read_image_bytes(path), path, None)
        except ImageError as error:
            errors.append(str(error))
        else:
            images[name] = path
    if not images and not errors:
        raise UsageError(f'{folder}: has no image ({", ".join(SUFFIXES)})')
    return images, errors


def write_overlays(
    images: Mapping[str, Path], label_dir: str | Path, out_dir: str | Path
) -> None:
    """Paint label maps over their images and write JPEG files.

    Args:
        images: Path of each image by its id.
        label_dir: Folder of ``<image id>.png``.
        out_dir: Folder to write ``<image id>.jpg`` to; made if absent.
    """
    for image_id, path in images.items():
        label_map = np.array(Image.open(Path(label_dir, f'{image_id}.png')))
        overlay = overlay_labels(read_photograph(path), label_map)
        with replacing(Path(out_dir, f'{image_id}.jpg')) as part:
            Image.fromarray(overlay).save(part, format='JPEG', quality=92)


def predict_folder(
    predictor: Predictor,
    images: Mapping[str, str | Path],
    folder: str | Path,
    crf_folder: str | Path | None = None,
    progress: bool = False,
) -> None:
    """Write ``folder/<image id>.png`` for each image.

    Args:
        predictor: The model.
        images: Path of each image by its id.
        folder: Folder of the network's label maps; made if absent.
        crf_folder: Folder of the label maps after the dense CRF, or None to
            leave the CRF out. The predictor must have a ``refiner``. As many
            images are refined side by side as the refiner has workers.
        progress: Show a progress bar on stderr.
    """
    waiting = []
    bar = tqdm(images.items(), unit='image', disable=not progress)
    for i, (image_id, path) in enumerate(bar, start=1):
        sample, probs = predictor.predict(path)
        _write(folder, image_id, sample)
        if crf_folder is None:
            continue
        # The logits of a large photograph take a gigabyte.
        del sample.seg_logits
        waiting.append((image_id, (sample, str(path), probs)))
        refiner = predictor.refiner
        if len(waiting) >= refiner.workers or i == len(images):
            refiner.refine([item for _, item in waiting])
            for name, (refined, _, _) in waiting:
                _write(crf_folder, name, refined)
            waiting.clear()


def _write(folder: str | Path, image_id: str, sample: SegDataSample) -> None:
    label_map = sample.pred_sem_seg.data[0].cpu().numpy()
    write_label_png(
        Path(folder) / f'{image_id}.png', label_map.astype(np.uint8)
    )
