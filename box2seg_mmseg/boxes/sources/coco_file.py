"""Reading the parts of a COCO file, with checks.

All functions raise AnnotationError if what they read is missing or malformed.
Its message begins with the file or with ``where``, the file and the place.
"""

import json
import math
import sys
from collections.abc import Container, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ...id_lists import find_repeated
from ..box_annotations import AnnotationError, shown
from ..classes import COCO_TO_VOC, class_labels
from ..reading import checked_size, image_name

# The lists in the file, and the name of an entry of each in messages.
_ENTRIES = dict(
    images='image', annotations='annotation', categories='category'
)


def read_json(path: str | Path, with_masks: bool = True) -> Any:
    """The content of a JSON file; without masks it takes less memory."""

    def build(pairs: list[tuple[str, Any]]) -> dict:
        entry = dict(pairs)
        if len(entry) < len(pairs):
            key = find_repeated(key for key, _ in pairs)
            raise ValueError(f'an object has the key {key!r} twice')
        if not with_masks:
            entry.pop('segmentation', None)
        return entry

    try:
        text = Path(path).read_text(encoding='utf-8-sig')
        return json.loads(text, object_pairs_hook=build)
    except FileNotFoundError:
        raise AnnotationError(
            f'{path}: no such annotation file; put it there or name another'
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise AnnotationError(
            f'{path}: not a readable JSON file; replace it: {error}'
        ) from None


def coco_entries(content: Any, key: str, path: str | Path) -> list:
    """A list of a COCO file, such as ``images``."""
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, list):
        raise AnnotationError(
            f'{path}: not a COCO annotation file: it has no list {key!r}'
        )
    return value


def coco_places(
    content: Any, key: str, path: str | Path
) -> Iterator[tuple[str, Any]]:
    """The entries of a list, each with its file and place for messages."""
    for i, entry in enumerate(coco_entries(content, key, path), start=1):
        yield f'{path}: {_ENTRIES[key]} {i}', entry


def coco_labels(
    content: Any, path: str | Path, classes: Sequence[str]
) -> dict[str | int, int]:
    """The label of each category id; 0 if it is not in ``classes``.

    The first class has label 1. With VOC's classes, COCO's names for them are
    understood too. One category at least must be in ``classes``.
    """
    names: dict[str | int, str | int] = {}
    for where, category in coco_places(content, 'categories', path):
        name = coco_value(category, 'name', where)
        names[coco_id(category, where, names)] = name
    return class_labels(
        names,
        classes,
        COCO_TO_VOC,
        path,
        'no category is one of {}',
    )


def coco_value(entry: Any, key: str, where: str) -> str | int:
    """A string or number of an entry."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise AnnotationError(f'{where}: has no {key!r}. Got: {shown(entry)}')
    return value


def coco_known(
    entry: Any,
    key: str,
    ids: Container[str | int],
    where: str,
    path: str | Path,
) -> str | int:
    """The id of the image or category of an annotation, one of ``ids``.

    ``path`` is the file that defines them.
    """
    value = coco_value(entry, key, where)
    if value not in ids:
        raise AnnotationError(f'{where}: {key} is not in {path}. Got: {value}')
    return value


def coco_id(entry: Any, where: str, others: Container[str | int]) -> str | int:
    """The ``id`` of an entry, which no earlier entry may have."""
    value = coco_value(entry, 'id', where)
    if value in others:
        raise AnnotationError(
            f'{where}: the id {value} is taken by an earlier entry, as in '
            'concatenated files; renumber them'
        )
    return value


def coco_image_id(image: Any, where: str) -> str:
    """The ``file_name`` of an image without suffix, as in a split file."""
    name = image_name(coco_value(image, 'file_name', where), where)
    return str(PurePosixPath(name).with_suffix(''))


def coco_image_size(image: dict, where: str) -> tuple[int, int]:
    """The height and width of an image in pixels."""
    return checked_size(image.get('height'), image.get('width'), where)


def numbers(values: Any, count: int, where: str) -> list[float]:
    """A list of exactly ``count`` numbers; NaN and infinity are possible."""
    good = isinstance(values, list) and len(values) == count
    if not good or not all(type(v) in (int, float) for v in values):
        raise AnnotationError(
            f'{where} must be {count} numbers. Got: {shown(values)}'
        )
    # JSON's whole numbers may be too large for a float.
    limit = sys.float_info.max
    return [float(v) if abs(v) <= limit else math.inf for v in values]
