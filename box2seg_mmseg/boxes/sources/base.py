"""The interface of all annotation formats, and their registry."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ...errors import UsageError
from ...id_lists import read_split
from ...option import Option
from ...registry import Registry
from ..box_annotations import BoxAnnotations
from ..classes import VOC_CLASSES, check_classes
from ..reading import ReadingReport


class BoxSource(ABC):
    """The boxes of a data set in one annotation format.

    To support another format, derive a class and register it with
    ``@BOX_SOURCES.register_module()``. It then works as ``box_source`` of a
    dataset and, if it has a ``format``, as ``--format`` of the tools.

    Args:
        data_root: Folder of the data set. Other paths are relative to it.
        classes: Names of the foreground classes; the first has label 1.
            Boxes of other classes are left out. Defaults to PASCAL VOC's or,
            for YOLO, to those in ``data.yaml``. VOC's classes may have the
            format's own names for them.
        image_dir: Folder of the images. Defaults to the format's
            ``default_image_dir``.

    Raises:
        ValueError: ``classes`` is empty, names a class twice, names the
            background or has more classes than a label map can hold.

    Attributes:
        format: Choice of ``--format``; None if the format has no such choice.
            The first line of the class's docstring is its help.
        options: Command-line options for the further arguments of the
            constructor.
    """

    format: ClassVar[str | None] = None
    options: ClassVar[Sequence[Option]] = ()
    default_image_dir: ClassVar[str] = 'JPEGImages'

    def __init__(
        self,
        data_root: str | Path,
        classes: Sequence[str] | None = None,
        image_dir: str | Path | None = None,
    ) -> None:
        self.data_root = Path(data_root)
        if image_dir is None:
            image_dir = self.default_image_dir
        self.image_dir = self.data_root / image_dir
        self.classes = check_classes(
            VOC_CLASSES if classes is None else classes, 'classes'
        )

    def image_ids(self, split: str | Path) -> list[str]:
        """The images of a split file, which has one id on each line.

        An id is the path of an image below the image folder, without suffix.

        Raises:
            UsageError: The file does not exist.
            ValueError: It names no image, or one image twice.
        """
        return read_split(split)

    @abstractmethod
    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the boxes of some images.

        Boxes that reach outside their image are clipped to it, with one
        warning after the last image.

        Args:
            image_ids: The images to read.
            report: Counts the annotations and says whether to skip bad ones;
                by default the first bad one raises its error.

        Yields:
            The boxes of each image, of ``self.classes`` only. Images without
            a box are included.

        Raises:
            UsageError: An annotation file does not exist.
            AnnotationError: An annotation is bad and bad ones are not
                skipped. The message names the file, the place and the value.
        """


BOX_SOURCES: Registry[BoxSource] = Registry('box source')
"""The annotation formats; register your own here."""


def build_box_source(cfg: Mapping[str, Any]) -> BoxSource:
    """Build a box source from its config.

    Args:
        cfg: ``type`` names the class, such as ``'VOCXML'``; the rest are the
            arguments of its constructor.

    Raises:
        ValueError: ``type`` is missing or unknown, or an argument is invalid.
    """
    return BOX_SOURCES.build(cfg)


IMAGE_SUFFIX = Option(
    'image_suffix', str, 'suffix of the images (default: .jpg)'
)


def dotted(suffix: str) -> str:
    """Add the dot to a file suffix that was given without one."""
    return suffix if '.' in suffix else f'.{suffix}'


def find_file(
    data_root: Path,
    given: str | Path | None,
    option: Option,
    pattern: str = '',
    exclude: Path | None = None,
) -> Path:
    """The file that an argument names, or the only one that fits a pattern.

    Args:
        data_root: Folder of the data set.
        given: The argument: a path below ``data_root`` or, if there is no
            such file, relative to the working directory; or None.
        option: The argument's option, for error messages.
        pattern: Glob pattern below ``data_root``, if ``given`` is None.
        exclude: A file that the pattern must not find.

    Raises:
        UsageError: There is no such file, or the pattern fits several.
    """
    names = f'{option.flag} ({option.name} in a config)'
    if given is not None:
        for path in (data_root / given, Path(given)):
            if path.is_file():
                return path
        raise UsageError(f'{given}: no such file; correct {names}')
    found = sorted(p for p in data_root.glob(pattern) if p != exclude)
    if len(found) != 1:
        raise UsageError(
            f'{data_root}/{pattern}: {len(found) or "no"} such files; name '
            f'one with {names}'
        )
    return found[0]
