"""Finds out what a folder of a user's photographs and boxes contains."""

import codecs
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from box2seg_mmseg.boxes.classes import check_classes
from box2seg_mmseg.boxes.sources.yolo_data_file import IMAGE_SUFFIXES
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import existing_folder
from box2seg_mmseg.id_lists import read_lines, read_split

from .box_formats import FORMATS


@dataclass(frozen=True)
class OwnData:
    """Photographs with boxes: everything that a config needs to know.

    Args:
        root: The folder.
        format: Name of the annotation format, such as ``'coco'``.
        box_file: The annotation file; None for ``voc``, which has a folder.
        image_dir: Folder of the images below ``root``.
        image_suffixes: Suffixes of the images, with their dots; one unless
            the annotations name the image files.
        test_suffix: Suffix of the images of ``val.txt``, or of all images if
            there is no such file; None if they have several.
        classes: Foreground classes; the first has label 1.
        class_file: Where they are, or are to be written.
        split: Text file of the images to train on; it may not exist yet.
        image_ids: The images to train on.
    """

    root: Path
    format: str
    box_file: Path | None
    image_dir: str
    image_suffixes: tuple[str, ...]
    test_suffix: str | None
    classes: tuple[str, ...]
    class_file: Path
    split: Path
    image_ids: tuple[str, ...]


def find_own_data(
    root: str | Path,
    format: str | None = None,
    boxes: str | Path | None = None,
    classes: str | Path | None = None,
    image_dir: str | None = None,
    image_suffix: str | None = None,
    split: str | Path | None = None,
) -> OwnData:
    """Find out how a folder of photographs and boxes is laid out.

    Nothing is written. What the arguments do not give is looked up in the
    folder and never guessed.

    Args:
        root: The folder.
        format: ``'voc'``, ``'coco'``, ``'yolo'`` or ``'openimages'``.
        boxes: The annotation file.
        classes: Text file with one class a line. Defaults to ``classes.txt``
            in the folder, else to the names in the annotations.
        image_dir: Folder of the images below ``root``. Defaults to
            ``JPEGImages`` or ``images``.
        image_suffix: Suffix of the images.
        split: Text file of the images to train on. Defaults to ``train.txt``
            in the folder, else to all annotated images but those of
            ``val.txt``.

    Returns:
        What was found.

    Raises:
        UsageError: The folder does not decide something, such as two formats
            or no classes; the message names the option that does. Or
            ``val.txt`` has a line that names no image.
        AnnotationError: An annotation file cannot be read.
    """
    root = existing_folder(root)
    format, files = _find_format(root, format, boxes)
    box_file = None if format == 'voc' else files[0]
    annotated = FORMATS[format].read(root, files)
    image_dir = image_dir or annotated.image_dir
    if image_dir is None:
        image_dir = _only(
            [n for n in ('JPEGImages', 'images') if (root / n).is_dir()],
            f'{root}: the folder of the images',
            '--image-dir',
        )
    images = _find_images(existing_folder(root / image_dir))
    suffixes = sorted(
        {s for name in annotated.image_ids for s in images.get(name, ())}
    )
    if image_suffix is not None:
        suffixes = [f'.{image_suffix.removeprefix(".")}']
    elif not suffixes and annotated.image_ids:
        raise UsageError(
            f'{root / image_dir}: has none of the annotated images, such as '
            f'{annotated.image_ids[0]}; give --image-dir, the folder that '
            'their names are relative to (. is the folder itself)'
        )
    elif FORMATS[format].needs_suffix or not suffixes:
        _only(
            suffixes,
            f'{root / image_dir}: the suffix of the annotated images',
            '--image-suffix',
        )
    class_file = Path(classes) if classes else root / 'classes.txt'
    names = annotated.classes
    if classes or class_file.is_file():
        names = read_lines(class_file)
    if not names:
        raise UsageError(
            f'{root}: no classes.txt, and the boxes do not name the classes '
            'to train; list them in a file, one a line, and give --classes'
        )
    source = class_file if class_file.is_file() else box_file or root
    try:
        names = check_classes(names, str(source))
    except ValueError as error:
        raise UsageError(
            f'{error}; list the classes to train in a file and give --classes'
        ) from None
    val_ids = _read_val(root / 'val.txt', images, root / image_dir)
    split = _find_split(root, split)
    if split.is_file():
        image_ids = read_split(split)
        if images.keys().isdisjoint(image_ids):
            raise UsageError(
                f'{split}: names no image in {root / image_dir}; its lines '
                'must be paths below that folder, without suffix; or give '
                f'another list with --split. Got: {image_ids[0]}'
            )
    else:
        image_ids = [
            name
            for name in annotated.image_ids
            if name not in val_ids and images.get(name, set()) & set(suffixes)
        ]
    if not image_ids:
        raise UsageError(
            f'{root / image_dir}: no image to train on has boxes and the '
            f'suffix {" or ".join(suffixes)}; give --image-dir or '
            '--image-suffix'
        )
    return OwnData(
        root.resolve(),
        format,
        box_file and box_file.resolve(),
        image_dir,
        tuple(suffixes),
        _common_suffix([images[name] for name in val_ids], suffixes),
        tuple(names),
        class_file.resolve(),
        split.resolve(),
        tuple(image_ids),
    )


def _find_format(
    root: Path, format: str | None, boxes: str | Path | None
) -> tuple[str, list[Path]]:
    """The format and its files: those of voc, or one."""
    found = {}
    for name in FORMATS if format is None else [format]:
        if boxes is None:
            files = [f for p in FORMATS[name].patterns for f in root.glob(p)]
            # macOS writes files that begin so on other disks.
            files = [f for f in files if not f.name.startswith('._')]
        else:
            files = [Path(boxes) if Path(boxes).exists() else root / boxes]
        if files := [path for path in files if FORMATS[name].fits(path)]:
            found[name] = sorted(files)
    if not found:
        known = '; '.join(f'{n}: {f.title}' for n, f in FORMATS.items())
        raise UsageError(
            f'{boxes or root}: no boxes in a known format ({known}); give '
            '--format and --boxes'
        )
    name = _only(list(found), f'{root}: the format of the boxes', '--format')
    if name != 'voc':
        places = list(map(str, found[name]))
        _only(places, f'{root}: the file of the boxes', '--boxes')
    return name, found[name]


def _find_split(root: Path, given: str | Path | None) -> Path:
    """The split file that is given, or the folder's, which may not exist."""
    if given is not None:
        read_split(given)
        return Path(given)
    split = root / 'train.txt'
    others = sorted(root.glob('ImageSets/*/train.txt'))
    if others and not split.is_file():
        raise UsageError(
            f'{others[0]}: this may be the list of the images to train on; '
            'name the list to use with --split'
        )
    return split


def _read_val(
    path: Path, images: Mapping[str, set[str]], folder: Path
) -> set[str]:
    """The images of ``val.txt``; none if there is no such file."""
    if not path.is_file():
        return set()
    # mmseg's test dataset reads the file itself and keeps the mark.
    if path.read_bytes().startswith(codecs.BOM_UTF8):
        raise UsageError(
            f'{path}: begins with a byte order mark, which `box2seg test` '
            'cannot read; save it as UTF-8 without a byte order mark'
        )
    names = read_split(path)
    if unknown := [name for name in names if name not in images]:
        raise UsageError(
            f'{path}: {len(unknown)} of {len(names)} lines name no image in '
            f'{folder}; its lines must be paths below that folder, without '
            f'suffix; correct them or rename the file. Got: {unknown[0]}'
        )
    return set(names)


def _common_suffix(
    found: Sequence[set[str]], suffixes: Sequence[str]
) -> str | None:
    """A suffix that all images have, one of those to train on if possible."""
    if not found:
        return suffixes[0] if len(suffixes) == 1 else None
    common = sorted(set.intersection(*found))
    preferred = [suffix for suffix in suffixes if suffix in common]
    return next(iter(preferred + common), None)


def _find_images(folder: Path) -> dict[str, set[str]]:
    """The suffixes of each image, by its path without suffix."""
    images = defaultdict(set)
    for path in folder.rglob('*'):
        # macOS writes ._NAME.jpg beside NAME.jpg on other disks.
        if path.name.startswith('.'):
            continue
        if path.suffix.lower() in IMAGE_SUFFIXES:
            name = path.relative_to(folder).with_suffix('').as_posix()
            images[name].add(path.suffix)
    return images


def _only(found: Sequence[str], what: str, option: str) -> str:
    """The only thing found.

    Raises:
        UsageError: There is none, or there are several.
    """
    if len(found) != 1:
        got = ', '.join(found) or 'nothing'
        raise UsageError(f'{what} is unclear; give {option}. Found: {got}')
    return found[0]
