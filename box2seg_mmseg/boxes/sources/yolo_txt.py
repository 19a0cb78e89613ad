"""Boxes from YOLO's text files, in Ultralytics' layout."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from ...errors import UsageError
from ...id_lists import find_repeated
from ...option import Option
from ..box_annotations import AnnotationError, BoxAnnotations
from ..classes import COCO_TO_VOC, check_classes, class_labels
from ..reading import (
    BoxCollector,
    ReadingReport,
    counting_clipped,
    image_name,
    read_image_size,
)
from .base import BOX_SOURCES, BoxSource, dotted, find_file
from .yolo_data_file import IMAGE_SUFFIXES, YOLODataFile

# How far outside [0, 1] a value may be, as Ultralytics allows.
_TOLERANCE = 0.01

_DATA_FILE = Option(
    'data_file',
    str,
    'the YAML file of names and splits (default: data.yaml)',
    '--data-yaml',
)


@BOX_SOURCES.register_module()
class YOLOTxt(BoxSource):
    """YOLO's format: a text file for each image, and Ultralytics' data.yaml.

    The class names of ``data.yaml`` are the default, and ``--split`` may name
    its splits.

    A line ``class cx cy w h`` is a box, with centre and sides as shares of
    the image's width and height. A line ``class x1 y1 x2 y2 x3 y3 ...`` is a
    polygon, whose extent becomes the box. With ``kpt_shape`` in
    ``data.yaml``, keypoints follow each box and are not used. The text file of
    ``.../images/NAME.jpg`` is ``.../labels/NAME.txt``: the last ``images`` of
    the path becomes ``labels``. An image without a text file has no box, as
    in Ultralytics' trainings. Each image is opened to get its size.

    Args:
        data_root: As for :class:`BoxSource`.
        classes: As for :class:`BoxSource`. Defaults to all names in
            ``data.yaml``; VOC's classes may have COCO's names there.
        image_dir: Folder that the image ids are relative to.
        data_file: The YAML file with ``names`` and, for splits by name,
            ``path``, ``train``, ``val`` and ``test``.
        image_suffix: Suffix of the image files. Defaults to any suffix that
            Ultralytics reads.

    Raises:
        UsageError: ``data_file`` does not exist.
        AnnotationError: ``data_file`` has no valid ``names``, or none of
            ``classes``.
    """

    format = 'yolo'
    options = (
        _DATA_FILE,
        Option('image_suffix', str, 'suffix of the images (default: any)'),
    )
    default_image_dir = 'images'

    def __init__(
        self,
        data_root: str | Path,
        classes: Sequence[str] | None = None,
        image_dir: str | Path | None = None,
        data_file: str | Path = 'data.yaml',
        image_suffix: str | None = None,
    ) -> None:
        path = find_file(Path(data_root), data_file, _DATA_FILE)
        self._data = YOLODataFile(path, Path(data_root))
        if classes is None:
            try:
                classes = check_classes(self._data.names, f'{path}: names')
            except ValueError as error:
                raise AnnotationError(str(error)) from None
        super().__init__(data_root, classes, image_dir)
        self._labels = class_labels(
            dict(enumerate(self._data.names)),
            self.classes,
            COCO_TO_VOC,
            path,
            'no name is one of {}',
        )
        self.image_suffix = image_suffix and dotted(image_suffix)

    def image_ids(self, split: str | Path) -> list[str]:
        """The images of a split; see :meth:`BoxSource.image_ids`.

        ``split`` may also be the name of a split in ``data.yaml``, such as
        ``'train'``.

        Raises:
            UsageError: There is no such file and no such split, or an image
                of the split is not in the image folder.
            AnnotationError: The split has no image, or two of the same name.
        """
        name = Path(split).name
        if Path(split).is_file():
            return super().image_ids(split)
        if not self._data.has_split(name):
            raise UsageError(
                f'{split}: no such file, and {self._data.path} has no split '
                f'named {name}'
            )
        ids = []
        for path in self._data.images(name):
            below = _relative(path, self.image_dir)
            if below is None:
                raise UsageError(
                    f'{path}: is in the split {name} but not in the image '
                    f'folder {self.image_dir}; set --image-dir '
                    '(data_prefix.img_path in a config) to a folder that has '
                    'all images of the split'
                )
            ids.append(below.with_suffix('').as_posix())
        if not ids:
            raise AnnotationError(f'{self._data.path}: {name} has no image')
        twice = find_repeated(ids)
        if twice is not None:
            raise AnnotationError(
                f'{self._data.path}: {name} has two images named {twice}'
            )
        return ids

    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the text file of each image, in order."""
        return counting_clipped(
            self._read(image_ids, report or ReadingReport())
        )

    def _read(
        self, image_ids: Iterable[str], report: ReadingReport
    ) -> Iterator[BoxAnnotations]:
        first_missing, num_files = None, 0
        find = self._image_finder()
        for image_id in image_ids:
            try:
                path = find(image_name(image_id, 'split'))
                size = read_image_size(path)
                txt_path = label_path(path)
                lines = _lines(txt_path)
            except AnnotationError as error:
                report.bad_image(error)
                continue
            if lines is None:
                first_missing = first_missing or txt_path
            else:
                num_files += 1
            collector = BoxCollector(image_id, path, size)
            for number, line in lines or ():
                report.num_read += 1
                where = f'{txt_path}, line {number}'
                try:
                    index, corners = _parse(
                        line, where, self._data.num_keypoint_values
                    )
                    label = self._label(index, where)
                except AnnotationError as error:
                    report.bad(error)
                    continue
                if not label:
                    report.other_class(self._data.names[index], where)
                    continue
                with report.entry():
                    collector.add(
                        _pixels(corners, size), label, where, given=line[:200]
                    )
            yield collector.collect()
        if first_missing and not num_files:
            report.bad_image(
                AnnotationError(
                    f'{first_missing}: no such file, and the other images '
                    'of the split have no text file either; put them there'
                )
            )

    def _label(self, index: int, where: str) -> int:
        if index >= len(self._labels):
            raise AnnotationError(
                f'{where}: the class must be below {len(self._labels)}, the '
                f'number of names in {self._data.path}. Got: {index}'
            )
        return self._labels[index]

    def _image_finder(self) -> Callable[[str], Path]:
        """What finds the file of an image id; it lists each folder once."""
        listings: dict[Path, dict[str, list[Path]]] = {}

        def find(image_id: str) -> Path:
            path = self.image_dir / image_id
            if self.image_suffix:
                return path.with_name(path.name + self.image_suffix)
            folder = path.parent
            if folder not in listings:
                listing = listings[folder] = {}
                for file in folder.iterdir() if folder.is_dir() else ():
                    if file.suffix.lower() in IMAGE_SUFFIXES:
                        listing.setdefault(file.stem, []).append(file)
            found = listings[folder].get(path.name, [])
            if len(found) != 1:
                raise AnnotationError(
                    f'{path}: {len(found) or "no"} images have this name; '
                    'keep one or remove it from the split'
                )
            return found[0]

        return find


def label_path(image_path: Path) -> Path:
    """The text file of an image.

    That of ``images/train/a.jpg`` is ``labels/train/a.txt``: the last folder
    named ``images`` becomes ``labels``. Without one, it is beside the image.
    """
    parts = list(image_path.absolute().parts)
    folders = [i for i, part in enumerate(parts[:-1]) if part == 'images']
    if folders:
        parts[folders[-1]] = 'labels'
    return Path(*parts).with_suffix('.txt')


def _relative(path: Path, folder: Path) -> Path | None:
    """A file's path below a folder, with or without following links."""
    lexical = [Path(os.path.normpath(p.absolute())) for p in (path, folder)]
    resolved = path.parent.resolve() / path.name, folder.resolve()
    for file, root in product(*zip(lexical, resolved, strict=True)):
        if file.is_relative_to(root):
            return file.relative_to(root)
    return None


def _lines(path: Path) -> list[tuple[int, str]] | None:
    """The lines with text and their numbers; None if there is no file."""
    try:
        text = path.read_text(encoding='utf-8-sig')
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f'{path}: not a text file: {error}') from None
    lines = enumerate(text.splitlines(), start=1)
    return [(i, line.strip()) for i, line in lines if line.strip()]


def _parse(
    line: str, where: str, num_keypoint_values: int
) -> tuple[int, np.ndarray]:
    """The class and the corners, as shares of width and height."""
    try:
        index, *values = (float(word) for word in line.split())
    except ValueError:
        raise AnnotationError(
            f'{where}: must be numbers. Got: {line[:200]}'
        ) from None
    if num_keypoint_values:
        if len(values) != 4 + num_keypoint_values:
            raise AnnotationError(
                f'{where}: needs a class, x, y, width, height and '
                f'{num_keypoint_values} numbers of keypoints, as kpt_shape in '
                f'the YAML file says. Got: {line[:200]}'
            )
        values = values[:4]
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        raise AnnotationError(
            f'{where}: needs a class and x, y, width, height, or a class and '
            f'at least three points x, y. Got: {line[:200]}'
        )
    if index < 0 or not index.is_integer():  # False for NaN too
        raise AnnotationError(
            f'{where}: the class must be a whole number >= 0. '
            f'Got: {line.split()[0]}'
        )
    numbers = np.array(values)
    if not ((numbers >= -_TOLERANCE) & (numbers <= 1 + _TOLERANCE)).all():
        raise AnnotationError(
            f'{where}: coordinates must be shares of width and height, in '
            f'[0, 1]. Got: {line[:200]}'
        )
    if len(values) == 4:
        middle, half = numbers[:2], numbers[2:] / 2
        return int(index), np.concatenate([middle - half, middle + half])
    points = numbers.reshape(-1, 2)
    return int(index), np.concatenate([points.min(0), points.max(0)])


def _pixels(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The corners in pixels.

    Rounding in the file may move an edge out of the image. If that is less
    than half a pixel, it is no error, as it changes no covered pixel (our
    choice).
    """
    limit = np.array([size[1], size[0]] * 2, np.float64)
    box = corners * limit
    inside = np.clip(box, 0, limit)
    return np.where(np.abs(box - inside) < 0.5, inside, box)
