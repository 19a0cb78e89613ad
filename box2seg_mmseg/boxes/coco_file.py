"""What a COCO file is made of, checked as it is taken out."""

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from .box_annotations import AnnotationError
from .reading import image_name


def read_json(
    path: str | Path, object_hook: Callable[[dict], Any] | None = None
) -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        object_hook: As for ``json.load``.

    Returns:
        What it holds.

    Raises:
        AnnotationError: It is missing or no JSON file.
    """
    try:
        with Path(path).open(encoding='utf-8') as file:
            return json.load(file, object_hook=object_hook)
    except FileNotFoundError:
        raise AnnotationError(
            f'{path}: no such annotation file; put it there or name another'
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise AnnotationError(
            f'{path}: not a readable JSON file; get it anew: {error}'
        ) from None


def coco_entries(content: Any, key: str, path: str | Path) -> list:
    """A list of a COCO file, as ``images``.

    Raises:
        AnnotationError: There is no such list.
    """
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, list):
        raise AnnotationError(
            f'{path}: not a COCO annotation file: it has no list {key!r}'
        )
    return value


def coco_value(entry: Any, key: str, where: str) -> str | int:
    """An entry's name or number.

    Raises:
        AnnotationError: It is not there; the message begins with ``where``.
    """
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str | int):
        raise AnnotationError(
            f'{where}: has no {key!r}. Got: {str(entry)[:200]}'
        )
    return value


def coco_image_id(image: Any, where: str) -> str:
    """An image's ``file_name`` without suffix, as a split file names it.

    Raises:
        AnnotationError: It has no name, or one that leaves the image folder.
    """
    name = image_name(coco_value(image, 'file_name', where), where)
    return str(PurePosixPath(name).with_suffix(''))


def coco_image_size(image: dict, where: str) -> tuple[int, int]:
    """An image's height and width in pixels.

    Raises:
        AnnotationError: One of them is missing or no side.
    """
    for key in ('height', 'width'):
        value = image.get(key)
        if type(value) is not int or value < 1:
            raise AnnotationError(
                f'{where}: {key} must be a number >= 1. Got: {value}'
            )
    return image['height'], image['width']


def numbers(values: Any, count: int, where: str) -> list[float]:
    """A list of as many numbers.

    Raises:
        AnnotationError: It is not; the message begins with ``where``.
    """
    good = isinstance(values, list) and len(values) == count
    if not good or not all(type(v) in (int, float) for v in values):
        raise AnnotationError(
            f'{where} must be {count} numbers. Got: {values}'
        )
    return values
