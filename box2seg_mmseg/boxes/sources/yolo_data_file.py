"""Ultralytics' ``data.yaml``: class names, and where the splits are."""

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from ...errors import UsageError
from ...id_lists import read_lines
from ..box_annotations import AnnotationError, one_line, shown

IMAGE_SUFFIXES = frozenset(
    {'.bmp', '.dng', '.heic', '.jpeg', '.jpg', '.mpo', '.pfm', '.png'}
    | {'.tif', '.tiff', '.webp'}
)
"""Suffixes of image files, as Ultralytics knows them."""

_SPLITS = ('train', 'val', 'test')


class _Loader(yaml.SafeLoader):
    """Refuses a key that occurs twice, and the merging of mappings."""

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict:
        keys = [key for key, _ in node.value]
        # Merges of merges take memory without end.
        if any(key.tag == 'tag:yaml.org,2002:merge' for key in keys):
            raise yaml.YAMLError('has a merge key <<; write its content out')
        content = super().construct_mapping(node, deep)
        if len(content) < len(keys):
            raise yaml.YAMLError('a mapping has one key twice')
        return content


class YOLODataFile:
    """The content of a ``data.yaml``, checked.

    Args:
        path: The file.
        data_root: Folder of the data set, where splits are looked for if
            they are not below the ``path`` that the file gives.

    Attributes:
        names: The class names in the order of their indices.
        num_keypoint_values: How many numbers of keypoints follow each box, 0
            if the labels are not for poses.

    Raises:
        AnnotationError: The file is not YAML, or ``names`` or ``kpt_shape``
            is invalid.
    """

    def __init__(self, path: Path, data_root: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding='utf-8-sig')
            content = yaml.load(text, _Loader)
        except Exception as error:  # PyYAML's constructors raise many kinds
            raise AnnotationError(
                f'{path}: not a readable YAML file: {error}'
            ) from None
        if not isinstance(content, dict):
            raise AnnotationError(f'{path}: needs names and splits')
        self.names = _names(content.get('names'), path)
        shape = content.get('kpt_shape', [0, 0])
        if not (
            isinstance(shape, list)
            and len(shape) == 2
            and all(type(number) is int and number >= 0 for number in shape)
        ):
            raise AnnotationError(
                f'{path}: kpt_shape must be two whole numbers. '
                f'Got: {shown(shape)}'
            )
        self.num_keypoint_values = shape[0] * shape[1]
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
                yield from _images_below(path)
            else:
                # As Ultralytics: relative to the folder of the list.
                yield from (path.parent / line for line in read_lines(path))

    def _find(self, entry: str, split: str) -> Path:
        # Roboflow writes '../train/images' for a folder beside the file, and
        # Ultralytics then drops the '../' too.
        for name in (entry, entry.removeprefix('../')):
            for root in self._roots:
                # Unlike Path.exists, False for a path that is too long.
                if os.path.exists(root / name):  # noqa: PTH110
                    return root / name
        roots = ', '.join(dict.fromkeys(map(str, self._roots)))
        raise UsageError(
            f'{self.path}: {split} is {one_line(entry[:200])}, and there is '
            f'no such folder or file below {roots}'
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
                f'Got: {shown(name)}'
            )
    return tuple(str(name).strip() for name in value)


def _images_below(folder: Path) -> Iterator[Path]:
    """The image files in a folder and its subfolders, in order."""
    above: dict[str, frozenset[str]] = {}
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        trail = above.get(os.path.dirname(place), frozenset())  # noqa: PTH120
        if real in trail:  # a link to a folder above it
            folders.clear()
            continue
        above[place] = trail | {real}
        folders.sort()
        for file in sorted(files):
            # macOS writes ._NAME.jpg beside NAME.jpg on other disks.
            if file.startswith('.'):
                continue
            if Path(file).suffix.lower() in IMAGE_SUFFIXES:
                yield Path(place, file)
