"""Reading the parts of a COCO file, with checks."""

import json
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..box_annotations import AnnotationError
from ..classes import COCO_TO_VOC, class_labels
from ..reading import image_name

# The lists in the file, and the name of an entry of each in messages.
_ENTRIES = dict(
    images='image', annotations='annotation', categories='category'
)


def read_json(
    path: str | Path, object_hook: Callable[[dict], Any] | None = None
) -> Any:
    """Read a JSON file; ``object_hook`` is that of ``json.load``.

    Raises:
        AnnotationError: The file is missing or not a JSON file.
    """
    try:
        with Path(path).open(encoding='utf-8-sig') as file:
            return json.load(file, object_hook=object_hook)
    except FileNotFoundError:
        raise AnnotationError(
            f'{path}: no such annotation file; put it there or name another'
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise AnnotationError(
            f'{path}: not a readable JSON file; replace it: {error}'
        ) from None


def coco_entries(content: Any, key: str, path: str | Path) -> list:
    """A list of a COCO file, such as ``images``.

    Raises:
        AnnotationError: There is no such list.
    """
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, list):
        raise AnnotationError(
            f'{path}: not a COCO annotation file: it has no list {key!r}'
        )
    return value


def coco_places(
    content: Any, key: str, path: str | Path
) -> Iterator[tuple[str, Any]]:
    """The entries of a list, each with its file and place for messages.

    Raises:
        AnnotationError: There is no such list.
    """
    for i, entry in enumerate(coco_entries(content, key, path), start=1):
        yield f'{path}: {_ENTRIES[key]} {i}', entry


def coco_labels(
    content: Any, path: str | Path, classes: Sequence[str]
) -> dict[str | int, int]:
    """The label of each category.

    Args:
        content: The content of the file.
        path: The file, for messages.
        classes: Names of the foreground classes; the first has label 1. With
            VOC's classes, COCO's names for them are understood too.

    Returns:
        Labels by category id; 0 for a class that is not in ``classes``.

    Raises:
        AnnotationError: A category has no id or name, two have the same id,
            or none is in ``classes``.
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
        'no category is one of {}; spell the classes as this file does',
    )


def coco_value(entry: Any, key: str, where: str) -> str | int:
    """A string or number of an entry.

    Raises:
        AnnotationError: It is missing; the message begins with ``where``.
    """
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str | int):
        raise AnnotationError(
            f'{where}: has no {key!r}. Got: {str(entry)[:200]}'
        )
    return value


def coco_id(entry: Any, where: str, others: Container[str | int]) -> str | int:
    """The ``id`` of an entry, unique in its list.

    Raises:
        AnnotationError: It is missing, or among the others.
    """
    value = coco_value(entry, 'id', where)
    if value in others:
        raise AnnotationError(
            f'{where}: the id {value} is taken by an earlier entry, as in '
            'concatenated files; renumber them'
        )
    return value


def coco_image_id(image: Any, where: str) -> str:
    """The ``file_name`` of an image without suffix, as in a split file.

    Raises:
        AnnotationError: The name is missing or leaves the image folder.
    """
    name = image_name(coco_value(image, 'file_name', where), where)
    return str(PurePosixPath(name).with_suffix(''))


def coco_image_size(image: dict, where: str) -> tuple[int, int]:
    """The height and width of an image in pixels.

    Raises:
        AnnotationError: One of them is missing or not a positive integer.
    """
    for key in ('height', 'width'):
        value = image.get(key)
        if type(value) is not int or value < 1:
            raise AnnotationError(
                f'{where}: {key} must be a whole number >= 1. Got: {value}'
            )
    return image['height'], image['width']


def numbers(values: Any, count: int, where: str) -> list[float]:
    """A list of exactly ``count`` numbers.

    Raises:
        AnnotationError: It is not; the message begins with ``where``.
    """
    good = isinstance(values, list) and len(values) == count
    if not good or not all(type(v) in (int, float) for v in values):
        raise AnnotationError(
            f'{where} must be {count} numbers. Got: {values}'
        )
    return values
