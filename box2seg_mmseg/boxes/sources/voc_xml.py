"""Boxes from PASCAL VOC's XML files, and the writer of such files."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from ...option import Option
from ..box_annotations import AnnotationError, BoxAnnotations, pixel_boxes
from ..classes import VOC_CLASSES
from ..reading import (
    BoxCollector,
    ReadingReport,
    checked_size,
    counting_clipped,
    image_name,
)
from .base import BOX_SOURCES, IMAGE_SUFFIX, BoxSource, dotted

# A side of one pixel would have xmin = xmax, which the reader refuses; this
# is a little longer and covers the same pixel.
_MIN_SIDE = 1.0001
_BAD_XML = DefusedXmlException, ET.ParseError, LookupError, OSError, ValueError


@BOX_SOURCES.register_module()
class VOCXML(BoxSource):
    """PASCAL VOC's format: an XML file for each image.

    VOC's corners are 1-based and inclusive; the boxes are 0-based and
    half-open. ``difficult`` objects are kept, with the flag ``difficult``.
    Entities in the XML are not expanded.

    Args:
        data_root: A folder in the layout of VOCdevkit/VOC2012.
        classes: As for :class:`BoxSource`. If they are not given, an object
            of a class that is not one of VOC's 20 is bad.
        image_dir: As for :class:`BoxSource`.
        xml_dir: Folder of the XML files.
        image_suffix: Suffix of the image files.
    """

    format = 'voc'
    options = (
        Option(
            'xml_dir', str, 'folder of the XML files (default: Annotations)'
        ),
        IMAGE_SUFFIX,
    )

    def __init__(
        self,
        data_root: str | Path,
        classes: Sequence[str] | None = None,
        image_dir: str | Path | None = None,
        xml_dir: str | Path = 'Annotations',
        image_suffix: str = '.jpg',
    ) -> None:
        super().__init__(data_root, classes, image_dir)
        self._allows_others = classes is not None
        self.xml_dir = self.data_root / xml_dir
        self.image_suffix = dotted(image_suffix)

    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the XML file of each image, in order."""
        return counting_clipped(
            self._read(image_ids, report or ReadingReport())
        )

    def _read(
        self, image_ids: Iterable[str], report: ReadingReport
    ) -> Iterator[BoxAnnotations]:
        for image_id in image_ids:
            try:
                image_name(image_id, 'split')
                path = self.xml_dir / f'{image_id}.xml'
                root = _read_root(path)
                size = _size(root, path)
            except AnnotationError as error:
                report.bad_image(error)
                continue
            image_path = self.image_dir / f'{image_id}{self.image_suffix}'
            collector = BoxCollector(image_id, image_path, size, ['difficult'])
            for i, node in enumerate(root.findall('object'), start=1):
                report.num_read += 1
                where = f'{path}: object {i}'
                try:
                    name = (_text(node, 'name', where) or '').strip()
                except AnnotationError as error:
                    report.bad(error)
                    continue
                is_other = name not in self.classes
                if is_other and name and self._allows_others:
                    report.other_class(name, str(path))
                    continue
                where += f' ({name or "without a name"})'
                with report.entry():
                    if is_other:
                        raise AnnotationError(
                            f'{where}: unknown class {name!r}; correct it, or '
                            'list the classes to use. Known are '
                            f'{", ".join(self.classes)}'
                        )
                    label = self.classes.index(name) + 1
                    _add_object(collector, node, label, where)
            yield collector.collect()


def write_voc_xml(
    xml_path: str | Path,
    annotations: BoxAnnotations,
    classes: Sequence[str] = VOC_CLASSES,
    source: str | None = None,
) -> None:
    """Write boxes as a PASCAL VOC XML file that :class:`VOCXML` reads.

    Sides of one pixel or less are written slightly longer than one pixel.

    Args:
        xml_path: The file to write.
        annotations: The boxes; ``difficult`` is taken from their flags.
        classes: Names of the foreground classes; the first has label 1.
        source: A note in the file that says where the boxes come from.
    """
    root = ET.Element('annotation')
    _write(root, filename=Path(annotations.image_path).name)
    if source is not None:
        _write(ET.SubElement(root, 'source'), annotation=source)
    height, width = annotations.size
    size = ET.SubElement(root, 'size')
    _write(size, height=height, width=width, depth=3)
    boxes = _readable(annotations.boxes, annotations.size)
    flags = annotations.flags.get('difficult', np.zeros(len(boxes), bool))
    for box, label, flag in zip(boxes, annotations.labels, flags, strict=True):
        node = ET.SubElement(root, 'object')
        _write(node, name=classes[label - 1], difficult=int(flag))
        x1, y1, x2, y2 = (f'{v:.10g}' for v in np.add(box, (1, 1, 0, 0)))
        corners = ET.SubElement(node, 'bndbox')
        _write(corners, xmin=x1, ymin=y1, xmax=x2, ymax=y2)
    ET.indent(root)
    ET.ElementTree(root).write(xml_path)


def _write(node: ET.Element, **values: object) -> None:
    for key, value in values.items():
        ET.SubElement(node, key).text = str(value)


def _readable(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The same pixels with no side below _MIN_SIDE, inside the image."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    low, high = boxes[:, :2], boxes[:, 2:]
    short = high - low < _MIN_SIDE
    first, end = np.split(pixel_boxes(boxes, size), 2, axis=1)
    longer = np.minimum(np.maximum(end, first + _MIN_SIDE), size[::-1])
    low = np.where(short, np.minimum(first, longer - _MIN_SIDE), low)
    high = np.where(short, longer, high)
    return np.concatenate([low, high], 1)


def _add_object(
    collector: BoxCollector, node: ET.Element, label: int, where: str
) -> None:
    corners = [
        _number(node, f'bndbox/{key}', where)
        for key in ('xmin', 'ymin', 'xmax', 'ymax')
    ]
    if corners[2] <= corners[0] or corners[3] <= corners[1]:
        raise AnnotationError(
            f'{where}: needs xmin < xmax and ymin < ymax. Got: {corners}'
        )
    collector.add(
        np.subtract(corners, (1, 1, 0, 0)),
        label,
        where,
        flags=[(_text(node, 'difficult', where) or '0').strip() == '1'],
        given=corners,
    )


def _size(root: ET.Element, path: Path) -> tuple[int, int]:
    """Height and width of the image."""
    width = _number(root, 'size/width', f'{path}')
    height = _number(root, 'size/height', f'{path}')
    return checked_size(height, width, f'{path}: size')


def _read_root(xml_path: Path) -> ET.Element:
    try:
        return parse(xml_path).getroot()
    except FileNotFoundError:
        raise AnnotationError(
            f'{xml_path}: no such annotation file; put the XML there or take '
            'the image out of the split'
        ) from None
    except _BAD_XML as error:
        raise AnnotationError(
            f'{xml_path}: not a readable XML annotation: {error}'
        ) from None


def _number(node: ET.Element, path: str, where: str) -> float:
    """The finite number in a child element."""
    text = _text(node, path, where)
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise AnnotationError(f'{where}: {path} must be a number. Got: {text}')
    return value


def _text(node: ET.Element, path: str, where: str) -> str | None:
    """The text of the only child element of a name; None without one."""
    found = node.findall(path)
    if len(found) > 1:
        raise AnnotationError(
            f'{where}: {path} must occur once. Got: {len(found)}'
        )
    return found[0].text if found else None
