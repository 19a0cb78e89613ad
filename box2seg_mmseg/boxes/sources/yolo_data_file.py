"""Ultralytics' ``data.yaml``: class names, and where the splits are."""

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from ...errors import UsageError
from ...id_lists import read_lines
from ..box_annotations import AnnotationError

IMAGE_SUFFIXES = frozenset(
    {'.bmp', '.dng', '.heic', '.jpeg', '.jpg', '.mpo', '.pfm', '.png'}
    | {'.tif', '.tiff', '.webp'}
)
"""Suffixes of image files, as Ultralytics knows them."""

_SPLITS = ('train', 'val', 'test')


class YOLODataFile:
    """The content of a ``data.yaml``, checked.

    Args:
        path: The file.
        data_root: Folder of the data set, where splits are looked for if
            they are not below the ``path`` that the file gives.

    Attributes:
        names: The class names in the order of their indices.

    Raises:
        AnnotationError: The file is not YAML, or ``names`` is invalid.
    """

    def __init__(self, path: Path, data_root: Path) -> None:
        self.path = path
        try:
            content = yaml.safe_load(path.read_text(encoding='utf-8-sig'))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise AnnotationError(
                f'{path}: not a readable YAML file: {error}'
            ) from None
        if not isinstance(content, dict):
            raise AnnotationError(f'{path}: needs names and splits')
        self.names = _names(content.get('names'), path)
        self._splits = {k: content[k] for k in _SPLITS if content.get(k)}
        self._roots = [data_root, path.parent]
        if isinstance(content.get('path'), str):
            self._roots.insert(0, path.parent / content['path'])

    def has_split(self, name: str) -> bool:
        """Whether the file has a split of this name."""
        return name in self._splits

    def images(self, split: str) -> Iterator[Path]:
        """The paths of the images of a split, sorted within a folder.

        Raises:
            UsageError: A folder or list of the split does not exist.
            AnnotationError: The split is neither a path nor a list of paths.
        """
        entries = self._splits[split]
        entries = [entries] if isinstance(entries, str) else entries
        if not isinstance(entries, list) or not all(
            isinstance(entry, str) for entry in entries
        ):
            raise AnnotationError(
                f'{self.path}: {split} must be a folder, a text file or a '
                f'list of them. Got: {type(entries).__name__}'
            )
        for entry in entries:
            path = self._find(entry, split)
            if path.is_dir():
                yield from sorted(
                    Path(folder, file)
                    for folder, _, files in os.walk(path, followlinks=True)
                    for file in files
                    if Path(file).suffix.lower() in IMAGE_SUFFIXES
                )
            else:
                # As Ultralytics: relative to the folder of the list.
                yield from (path.parent / line for line in read_lines(path))

    def _find(self, entry: str, split: str) -> Path:
        # Roboflow writes '../train/images' for a folder beside the file, and
        # Ultralytics then drops the '../' too.
        for name in (entry, entry.removeprefix('../')):
            for root in self._roots:
                if (root / name).exists():
                    return root / name
        raise UsageError(
            f'{self.path}: {split} is {entry}, and there is no such folder or '
            f'file below {", ".join(dict.fromkeys(map(str, self._roots)))}'
        )


def _names(value: object, path: Path) -> tuple[str, ...]:
    if isinstance(value, dict):
        if set(value) != set(range(len(value))):
            raise AnnotationError(
                f'{path}: names must have the keys 0 to {len(value) - 1}'
            )
        value = [value[i] for i in range(len(value))]
    if not isinstance(value, list) or not value:
        raise AnnotationError(
            f'{path}: names must be a list or a mapping of class names. '
            f'Got: {type(value).__name__}'
        )
    for name in value:
        if type(name) not in (str, int):
            raise AnnotationError(
                f'{path}: names must be text; put quotes around it. '
                f'Got: {str(name)[:50]}'
            )
    return tuple(str(name) for name in value)
