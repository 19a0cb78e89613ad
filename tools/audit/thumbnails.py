"""Small JPEGs of the photographs that a page shows."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import cv2
from tqdm import tqdm

from box2seg_mmseg.files import hash_of, replacing
from box2seg_mmseg.images import read_image

SIDE = 400  # px, largest width and height
QUALITY = 80  # of the JPEGs


def encode_thumbnail(path: str | Path, size: tuple[int, int]) -> bytes:
    """A photograph as a small JPEG; it is never enlarged.

    Args:
        path: The photograph.
        size: ``(H, W)`` in pixels that it must have.

    Raises:
        ImageError: It is missing, corrupt or of another size.
    """
    image = read_image(path, size)
    scale = min(SIDE / max(size), 1)
    height, width = (max(round(side * scale), 1) for side in size)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode('.jpg', small, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return data.tobytes()


def write_thumbnails(
    photographs: Mapping[str, tuple[int, int]],
    folder: Path | None,
    progress: bool = False,
) -> dict[str, str | bytes]:
    """Make the thumbnails of photographs, several at a time.

    A thumbnail in the folder that is newer than its photograph is kept, so
    that an interrupted run continues where it stopped.

    Args:
        photographs: ``(H, W)`` of each photograph by its path.
        folder: Folder to write to; None keeps the thumbnails in memory.
        progress: Show a progress bar on stderr.

    Returns:
        By path, the names of the files in the folder, or the JPEGs themselves
        without one.

    Raises:
        ImageError: A photograph cannot be read.
    """
    pool = ThreadPoolExecutor()
    try:
        jobs = {
            pool.submit(_thumbnail, path, size, folder): path
            for path, size in photographs.items()
        }
        bar = tqdm(
            as_completed(jobs),
            desc='thumbnails',
            total=len(jobs),
            unit='image',
            disable=not progress,
        )
        return {jobs[job]: job.result() for job in bar}
    finally:
        pool.shutdown(cancel_futures=True)


def _thumbnail(
    path: str, size: tuple[int, int], folder: Path | None
) -> str | bytes:
    if folder is None:
        return encode_thumbnail(path, size)
    name = hash_of(str(Path(path).absolute()).encode())[:16] + '.jpg'
    target = folder / name
    if not _is_newer(target, path):
        data = encode_thumbnail(path, size)
        with replacing(target) as part:
            part.write_bytes(data)
    return name


def _is_newer(thumbnail: Path, photograph: str) -> bool:
    try:
        made = thumbnail.stat().st_mtime_ns
        return made >= Path(photograph).stat().st_mtime_ns
    except FileNotFoundError:
        return False
