"""The predictions of a model as folders of label maps and pictures."""

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
from ..models.post_processing import CRFQueue
from ..visualization import overlay_labels, read_photograph
from .predictor import Predictor

SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


def find_photographs(
    folder: str | Path,
) -> tuple[dict[str, Path], list[str]]:
    """The photographs of a folder, each opened once.

    Args:
        folder: Folder of image files; other files are passed over.

    Returns:
        Path by name without suffix, and a line for each file that is no
        whole image.

    Raises:
        UsageError: There is no such folder, it has no image, or two images
            have one name.
    """
    folder = existing_folder(folder)
    images: dict[str, Path] = {}
    errors = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem in images:
            raise UsageError(
                f'{path}: has the name of {images[path.stem].name}; rename '
                'one, for both masks would be one file'
            )
        try:
            decode_image(read_image_bytes(path), path, None)
        except ImageError as error:
            errors.append(str(error))
        else:
            images[path.stem] = path
    if not images and not errors:
        raise UsageError(f'{folder}: has no image ({", ".join(SUFFIXES)})')
    return images, errors


def write_overlays(
    images: Mapping[str, Path], label_dir: str | Path, out_dir: str | Path
) -> None:
    """Paint label maps over their photographs, as JPEG files.

    Args:
        images: Path of each photograph by its id.
        label_dir: Folder of ``<image id>.png``.
        out_dir: Folder to write ``<image id>.jpg`` to; made if absent.
    """
    Path(out_dir).mkdir(parents=True, exist_ok=True)
    for image_id, path in images.items():
        label_map = np.array(Image.open(Path(label_dir, f'{image_id}.png')))
        overlay = overlay_labels(read_photograph(path), label_map)
        with replacing(Path(out_dir, f'{image_id}.jpg')) as part:
            Image.fromarray(overlay).save(part, format='JPEG', quality=92)


def predict_folder(
    predictor: Predictor,
    images: Sequence[tuple[str, str | Path]],
    folder: str | Path,
    crf_folder: str | Path | None = None,
    workers: int = 1,
    progress: bool = False,
) -> None:
    """Write ``folder/<image_id>.png`` for each image.

    Args:
        predictor: The model.
        images: Id and path of each photograph.
        folder: For the label maps; made if absent.
        crf_folder: For what the dense CRF makes of them, or None.
        workers: Processes of the CRF, at least 1, and the images that wait
            for it at most.
        progress: Show a progress bar on stderr.
    """
    queue = CRFQueue(workers=workers) if crf_folder is not None else None
    refined = []
    bar = tqdm(images, unit='image', disable=not progress)
    for i, (image_id, path) in enumerate(bar, start=1):
        sample, probs = predictor.predict(path)
        _write(folder, image_id, sample)
        if queue is None:
            continue
        # A large photograph's logits take a gigabyte, and its probabilities.
        del sample.seg_logits
        refined.append((image_id, (sample, str(path), probs)))
        if len(refined) == workers or i == len(images):
            queue.refine([item for _, item in refined])
            for name, (result, _, _) in refined:
                _write(crf_folder, name, result)
            refined.clear()


def _write(folder: str | Path, image_id: str, sample: SegDataSample) -> None:
    label_map = sample.pred_sem_seg.data[0].cpu().numpy()
    write_label_png(
        Path(folder) / f'{image_id}.png', label_map.astype(np.uint8)
    )
