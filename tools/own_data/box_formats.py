"""The annotation formats that ``box2seg config`` recognises in a folder."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from box2seg_mmseg.boxes import AnnotationError
from box2seg_mmseg.boxes.sources.coco_file import (
    coco_image_id,
    coco_places,
    coco_value,
    read_json,
)
from box2seg_mmseg.boxes.sources.yolo_data_file import YOLODataFile


class Annotated(NamedTuple):
    """What the annotations of a folder name.

    Args:
        image_ids: Paths of the images below the image folder, no suffix.
        classes: Names of the classes; empty if the file has none of its own.
        image_dir: Folder of the images, if the file says it.
    """

    image_ids: list[str]
    classes: list[str]
    image_dir: str | None = None


def _read_voc(root: Path, files: Sequence[Path]) -> Annotated:
    folder = root / 'Annotations'
    ids = [
        path.relative_to(folder).with_suffix('').as_posix() for path in files
    ]
    names = {name for path in files for name in _object_names(path)}
    return Annotated(ids, sorted(names - {''}))


def _object_names(path: Path) -> Iterator[str]:
    try:
        for _, element in iterparse(path):
            if element.tag == 'object':
                yield (element.findtext('name') or '').strip()
    except (ParseError, DefusedXmlException) as error:
        raise AnnotationError(f'{path}: not valid XML: {error}') from None


def _read_coco(root: Path, files: Sequence[Path]) -> Annotated:
    content = read_json(files[0], with_masks=False)
    ids = [
        coco_image_id(image, where)
        for where, image in coco_places(content, 'images', files[0])
    ]
    names = [
        str(coco_value(category, 'name', where)).strip()
        for where, category in coco_places(content, 'categories', files[0])
    ]
    return Annotated(ids, list(dict.fromkeys(names)))


def _is_coco(path: Path) -> bool:
    """Whether a JSON file is a COCO file; others may lie beside it."""
    if path.suffix != '.json' or b'"annotations"' not in path.read_bytes():
        return False
    content = read_json(path, with_masks=False)
    keys = {'images', 'annotations', 'categories'}
    return isinstance(content, dict) and keys <= content.keys()


def _read_yolo(root: Path, files: Sequence[Path]) -> Annotated:
    data = YOLODataFile(files[0], root)
    if not data.has_split('train'):
        raise AnnotationError(f'{files[0]}: has no split named train')
    images = list(data.images('train'))
    # images/train/a.jpg has its boxes in labels/train/a.txt, and
    # train/images/a.jpg in train/labels/a.txt.
    folders = {
        next((p for p in path.parents if p.name == 'images'), path.parent)
        for path in images
    }
    if len(folders) != 1:
        raise AnnotationError(
            f'{files[0]}: the images of train must be in or below one folder '
            f'images. Found: {", ".join(map(str, sorted(folders)))}'
        )
    (folder,) = folders
    ids = [p.relative_to(folder).with_suffix('').as_posix() for p in images]
    image_dir = os.path.relpath(folder, root)
    return Annotated(ids, list(data.names), Path(image_dir).as_posix())


def _read_open_images(root: Path, files: Sequence[Path]) -> Annotated:
    with files[0].open(encoding='utf-8-sig', newline='') as file:
        reader = csv.DictReader(file)
        if 'ImageID' not in (reader.fieldnames or ()):
            raise AnnotationError(f'{files[0]}: has no column ImageID')
        ids = dict.fromkeys(row['ImageID'] for row in reader)
    # It names OpenImages' 600 classes, not those that the user wants.
    return Annotated(list(ids), [])


def _is_voc(path: Path) -> bool:
    return path.suffix == '.xml'


def _is_open_images(path: Path) -> bool:
    return path.suffix == '.csv'


def _is_yolo(path: Path) -> bool:
    return path.suffix in ('.yaml', '.yml')


class BoxFormat(NamedTuple):
    """A format that can be recognised.

    Args:
        type: Its box source.
        title: What to look for, in messages.
        patterns: Where its files are.
        read: Reads its files.
        fits: Whether a file is of this format.
        file_option: The tools' option that names its file, if it has one.
        file_argument: The same as an argument of the box source.
        needs_suffix: Whether all images must have one suffix.
    """

    type: str
    title: str
    patterns: tuple[str, ...]
    read: Callable[[Path, Sequence[Path]], Annotated]
    fits: Callable[[Path], bool]
    file_option: str | None = '--boxes'
    file_argument: str | None = 'box_file'
    needs_suffix: bool = False


FORMATS = {
    'voc': BoxFormat(
        'VOCXML',
        'Annotations/*.xml',
        ('Annotations/**/*.xml',),
        _read_voc,
        _is_voc,
        file_option=None,
        file_argument=None,
        needs_suffix=True,
    ),
    'coco': BoxFormat(
        'COCOJSON',
        'a COCO instance JSON',
        ('*.json', 'annotations/*.json'),
        _read_coco,
        _is_coco,
    ),
    'yolo': BoxFormat(
        'YOLOTxt',
        'data.yaml',
        ('data.yaml',),
        _read_yolo,
        _is_yolo,
        file_option='--data-yaml',
        file_argument='data_file',
    ),
    'openimages': BoxFormat(
        'OpenImagesCSV',
        '*annotations-bbox*.csv',
        ('*annotations-bbox*.csv',),
        _read_open_images,
        _is_open_images,
        needs_suffix=True,
    ),
}
"""The formats that can be recognised, by their names on the command line."""
