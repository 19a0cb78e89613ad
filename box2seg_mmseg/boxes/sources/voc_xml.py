"""Boxes from PASCAL VOC's XML files, and the writer of such files."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import (
    Element,
    ElementTree,
    ParseError,
    SubElement,
    indent,
)

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from ..box_annotations import (
    AnnotationError,
    BoxAnnotations,
    pixel_boxes,
    warn_of_clipped_boxes,
)
from ..reading import BoxCollector, ReadingReport, counting_clipped, image_name
from ..voc_classes import VOC_CLASSES
from .base import BOX_SOURCES, IMAGE_SUFFIX, BoxOption, BoxSource, dotted

# A side of one pixel would have xmin = xmax, which the reader refuses; this
# is a little longer and covers the same pixel.
_MIN_SIDE = 1.0001


@BOX_SOURCES.register_module()
class VOCXML(BoxSource):
    """PASCAL VOC's format: an XML file for each image.

    Args:
        data_root: A folder in the layout of VOCdevkit/VOC2012.
        classes: Names of the foreground classes; the first has label 1.
            Boxes of other classes are left out. By default these are VOC's
            20 classes, and any other name is an error.
        image_dir: Folder of the images.
        xml_dir: Folder of the XML files.
        image_suffix: Suffix of the image files.
    """

    format = 'voc'
    summary = 'Annotations/*.xml'
    options = (
        BoxOption(
            '--xml-dir',
            'xml_dir',
            'folder of the XML files (default: Annotations)',
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
        self._given_classes = classes
        self.xml_dir = self.data_root / xml_dir
        self.image_suffix = dotted(image_suffix)

    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the XML file of each image; see :func:`iter_voc_xml`."""
        return iter_voc_xml(
            '',  # the folders begin with data_root
            image_ids,
            self._given_classes,
            image_dir=self.image_dir,
            xml_dir=self.xml_dir,
            image_suffix=self.image_suffix,
            report=report,
        )


def read_voc_xml(
    xml_path: str | Path,
    image_path: str | Path | None = None,
    classes: Sequence[str] | None = None,
) -> BoxAnnotations:
    """Read the boxes of one image from a PASCAL VOC XML file.

    VOC's corners are 1-based and inclusive; the boxes returned are 0-based
    and half-open. A box that reaches outside the image is clipped to it,
    with a warning. ``difficult`` objects are kept, with the flag
    ``difficult``. Entities in the XML are not expanded.

    Args:
        xml_path: The annotation file; its stem is the image id.
        image_path: The image that it belongs to. Defaults to
            ``../JPEGImages/<stem>.jpg`` beside the folder of the XML file.
        classes: Names of the foreground classes; the first has label 1.
            Boxes of other classes are left out. None means VOC's 20 classes,
            and any other name is then an error.

    Returns:
        The boxes of the image.

    Raises:
        AnnotationError: The file is missing or not a valid VOC annotation, a
            class is unknown, or a box has xmax <= xmin, NaN or lies entirely
            outside the image. The message names file, object and value.
    """
    path = Path(xml_path)
    annotations = _parse(path, image_path, classes, path.stem, ReadingReport())
    warn_of_clipped_boxes(annotations.num_clipped, 1)
    return annotations


def iter_voc_xml(
    data_root: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str] | None = None,
    image_dir: str | Path = 'JPEGImages',
    xml_dir: str | Path = 'Annotations',
    image_suffix: str = '.jpg',
    report: ReadingReport | None = None,
) -> Iterator[BoxAnnotations]:
    """Read the XML files of a split one after the other.

    Like :func:`read_voc_xml` for each image, but with a single warning about
    clipped boxes, after the last image.

    Args:
        data_root: A folder in the layout of VOCdevkit/VOC2012.
        image_ids: Names of the images, without folder and suffix.
        classes: As for :func:`read_voc_xml`.
        image_dir: Folder of the images in ``data_root``.
        xml_dir: Folder of the XML files in ``data_root``.
        image_suffix: Suffix of the image files.
        report: Counts the boxes and says whether to skip bad ones and bad
            files; by default the first bad one raises its error.

    Yields:
        The boxes of each image, in the order of ``image_ids``.

    Raises:
        AnnotationError: As :func:`read_voc_xml`.
    """
    report = ReadingReport() if report is None else report
    root = Path(data_root)

    def read() -> Iterator[BoxAnnotations]:
        for image_id in image_ids:
            try:
                image_name(image_id, 'split')
                annotations = _parse(
                    root / xml_dir / f'{image_id}.xml',
                    root / image_dir / f'{image_id}{image_suffix}',
                    classes,
                    image_id,
                    report,
                )
            except AnnotationError as error:
                report.num_read += 1
                report.bad(error)
                continue
            yield annotations

    return counting_clipped(read())


def write_voc_xml(
    xml_path: str | Path,
    annotations: BoxAnnotations,
    classes: Sequence[str] = VOC_CLASSES,
    source: str | None = None,
) -> None:
    """Write boxes as a PASCAL VOC XML file that the reader can read back.

    Sides of one pixel or less are written slightly longer than one pixel.

    Args:
        xml_path: The file to write.
        annotations: The boxes; ``difficult`` is taken from their flags.
        classes: Names of the foreground classes; the first has label 1.
        source: A note in the file that says where the boxes come from.
    """
    root = Element('annotation')
    SubElement(root, 'filename').text = Path(annotations.image_path).name
    if source is not None:
        node = SubElement(root, 'source')
        SubElement(node, 'annotation').text = source
    size = SubElement(root, 'size')
    for key, value in zip(
        ('height', 'width', 'depth'), (*annotations.size, 3), strict=True
    ):
        SubElement(size, key).text = str(value)
    difficult = annotations.flags.get('difficult')
    boxes = _readable(annotations.boxes, annotations.size)
    for i, (box, label) in enumerate(
        zip(boxes, annotations.labels, strict=True)
    ):
        node = SubElement(root, 'object')
        SubElement(node, 'name').text = classes[label - 1]
        flag = difficult is not None and difficult[i]
        SubElement(node, 'difficult').text = str(int(flag))
        corners = SubElement(node, 'bndbox')
        for key, value in zip(
            ('xmin', 'ymin', 'xmax', 'ymax'),
            np.add(box, (1, 1, 0, 0)).tolist(),
            strict=True,
        ):
            SubElement(corners, key).text = f'{value:.10g}'
    indent(root)
    ElementTree(root).write(xml_path)


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


def _parse(
    xml_path: Path,
    image_path: str | Path | None,
    classes: Sequence[str] | None,
    image_id: str,
    report: ReadingReport,
) -> BoxAnnotations:
    """Read a file; bad boxes go to the report, a bad file raises an error."""
    root = _read_root(xml_path)
    if image_path is None:
        image_path = (
            xml_path.parent.parent / 'JPEGImages' / f'{xml_path.stem}.jpg'
        )
    width = _number(root, 'size/width', f'{xml_path}')
    height = _number(root, 'size/height', f'{xml_path}')
    if width < 1 or height < 1:
        raise AnnotationError(
            f'{xml_path}: size must be at least 1 x 1 px. '
            f'Got: {width:g} x {height:g}'
        )
    names = VOC_CLASSES if classes is None else classes
    collector = BoxCollector(
        image_id, image_path, (int(height), int(width)), ['difficult']
    )
    for i, node in enumerate(root.findall('object'), start=1):
        report.num_read += 1
        name = (node.findtext('name') or '').strip()
        where = f'{xml_path}: object {i} ({name or "without a name"})'
        if name and name not in names and classes is not None:
            report.other_class(name, str(xml_path))
            continue
        with report.entry():
            if name not in names:
                raise AnnotationError(
                    f'{where}: unknown class {name!r}; correct it, or list '
                    f'the classes to use. Known are {", ".join(names)}'
                )
            corners = [
                _number(node, f'bndbox/{key}', where)
                for key in ('xmin', 'ymin', 'xmax', 'ymax')
            ]
            if corners[2] <= corners[0] or corners[3] <= corners[1]:
                raise AnnotationError(
                    f'{where}: needs xmin < xmax and ymin < ymax. '
                    f'Got: {corners}'
                )
            collector.add(
                np.subtract(corners, (1, 1, 0, 0)),
                names.index(name) + 1,
                where,
                flags=[(node.findtext('difficult') or '0').strip() == '1'],
                given=corners,
            )
    return collector.collect()


def _read_root(xml_path: Path) -> Element:
    try:
        return parse(xml_path).getroot()
    except FileNotFoundError:
        raise AnnotationError(
            f'{xml_path}: no such annotation file; put the XML there or take '
            'the image out of the split'
        ) from None
    except (
        DefusedXmlException,
        LookupError,
        OSError,
        ParseError,
        ValueError,
    ) as error:
        raise AnnotationError(
            f'{xml_path}: not a readable XML annotation: {error}'
        ) from None


def _number(node: Element, path: str, where: str) -> float:
    """The finite number in a child element."""
    text = node.findtext(path)
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise AnnotationError(f'{where}: {path} must be a number. Got: {text}')
    return value
