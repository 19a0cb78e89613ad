"""A folder of pseudo labels that knows what made them.

The folder holds one PNG an image, ``manifest.json``, which says what made
them, and ``records.jsonl``, one line an image in the order of their ids.
While a run goes on, its records are appended to ``records.part.jsonl``, so a
run that is killed at any moment loses the images in work alone, and the next
run ends with the same bytes as one that was not killed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..files import FolderError, hash_of, replacing, write_json

MANIFEST = 'manifest.json'
RECORDS = 'records.jsonl'
_JOURNAL = 'records.part.jsonl'


class StoreError(FolderError):
    """A folder of pseudo labels is not what a run needs."""


@dataclass(frozen=True)
class Record:
    """What became of one image.

    Args:
        image_id: Path of the image below the image folder, without suffix.
        inputs: Hash of the image file, the boxes and their labels; empty if
            the image could not be read.
        png: Hash of the PNG; empty if there is none.
        fallbacks: For each box why it was filled instead of segmented, or
            None.
        filling_rates: For each box the share of its pixels that its segment
            has, in ``[0, 1]``.
        agreements: For each box how much its segment agrees with those of
            perturbed boxes, in ``[0, 1]``; empty where they were not made.
        error: Why there is no PNG, or None.
    """

    image_id: str
    inputs: str = ''
    png: str = ''
    fallbacks: list[str | None] = field(default_factory=list)
    filling_rates: list[float] = field(default_factory=list)
    agreements: list[float] = field(default_factory=list)
    error: str | None = None

    def holds(self, path: Path) -> bool:
        """Whether a file is the PNG that was written."""
        return path.exists() and hash_of(path.read_bytes()) == self.png


class PseudoLabelStore:
    """Opens a folder of pseudo labels for a run.

    Args:
        folder: Made if absent.
        manifest: What makes the pseudo labels, such as the labeler's
            parameters; goes through JSON.
        overwrite: Begin anew where the folder says that something else made
            its pseudo labels.

    Raises:
        StoreError: Something else made them, and ``overwrite`` is False.
    """

    def __init__(
        self,
        folder: str | Path,
        manifest: Mapping[str, Any],
        overwrite: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._journal = self.folder / _JOURNAL
        path = self.folder / MANIFEST
        new = json.loads(json.dumps(manifest))
        old = _read_manifest(path)
        if old != new:
            if old is not None and not overwrite:
                raise StoreError(
                    f'{path}: made by {_difference(old, new)}; name another '
                    'folder, or overwrite this one (--overwrite)'
                )
            if old is None and any(self.folder.rglob('*.png')):
                raise StoreError(
                    f'{folder}: has PNGs that were not made here; name '
                    'another folder'
                )
            # The manifest goes last: what is left of the old pseudo labels
            # if this is killed still belongs to the old one.
            if old is not None:
                for image_id in _read_all(self.folder):
                    png_path(self.folder, image_id).unlink(missing_ok=True)
            (self.folder / RECORDS).unlink(missing_ok=True)
            self._journal.unlink(missing_ok=True)
            write_json(path, new)
        for part in self.folder.rglob('.*.part'):
            part.unlink(missing_ok=True)
        self._records = _read_all(self.folder)
        self._seen: set[str] = set()

    def __getitem__(self, image_id: str) -> Record | None:
        """The record of an image, if it has one."""
        return self._records.get(image_id)

    def add(self, record: Record) -> None:
        """Note what became of an image."""
        self._seen.add(record.image_id)
        if self[record.image_id] == record:
            return
        self._records[record.image_id] = record
        # A line that could not be written to its end, as on a full disk, does
        # not spoil the next one; what it said is written by finish(), or done
        # again.
        with (
            suppress(OSError),
            self._journal.open('ab', buffering=0) as journal,
        ):
            journal.write(b'\n' + _line(record).encode())

    def finish(self) -> None:
        """Write all records in order, and leave no journal.

        Images that failed before and were not asked for this time are
        forgotten.

        Raises:
            OSError: They can not be written; the journal stays.
        """
        for record in list(self._records.values()):
            if record.error is not None and record.image_id not in self._seen:
                del self._records[record.image_id]
        with replacing(self.folder / RECORDS) as part, part.open('w') as file:
            for _, record in sorted(self._records.items()):
                file.write(_line(record) + '\n')
        self._journal.unlink(missing_ok=True)


def verify_pseudo_labels(folder: str | Path) -> Iterator[str]:
    """Compare a folder's PNGs with its records.

    Args:
        folder: A folder that :func:`generate_pseudo_labels` made.

    Yields:
        One line for each image that has no PNG or another one than was
        written, for each PNG that was not written, and if a run has not
        ended.

    Raises:
        StoreError: The folder has no manifest.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).exists():
        raise StoreError(
            f'{folder}: no {MANIFEST}; not a folder of pseudo labels'
        )
    has_ended = (folder / RECORDS).exists() and not (
        folder / _JOURNAL
    ).exists()
    if not has_ended:
        yield f'{folder}: a run has not ended; run it again'
    unknown = set(folder.rglob('*.png')) if has_ended else set()
    for record in _read_all(folder).values():
        path = png_path(folder, record.image_id)
        unknown.discard(path)
        if record.error is not None:
            yield f'{path}: not made: {record.error}'
        elif not path.exists():
            yield f'{path}: missing; run the generation again'
        elif not record.holds(path):
            yield f'{path}: altered or truncated; run the generation again'
    for path in sorted(unknown):
        yield f'{path}: not from here; take it out of the folder'


def png_path(folder: Path, image_id: str) -> Path:
    """Where the PNG of an image is in a folder of pseudo labels."""
    return folder / f'{image_id}.png'


def _line(record: Record) -> str:
    return json.dumps(asdict(record))


def _read_all(folder: Path) -> dict[str, Record]:
    """The records of a folder by image; those of the journal are newer."""
    return {
        record.image_id: record
        for name in (RECORDS, _JOURNAL)
        for record in _read(folder / name)
    }


def _read_manifest(path: Path) -> Any:
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise StoreError(
            f'{path}: not readable; delete the folder: {error}'
        ) from None


def _read(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            yield Record(**json.loads(line))
        except (ValueError, TypeError):
            # The last line of a run that was killed while writing it.
            continue


def _difference(old: Any, new: Any, name: str = '') -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        return ', '.join(
            _difference(old.get(key), new.get(key), key)
            for key in sorted({*old, *new})
            if old.get(key) != new.get(key)
        )
    return f'{name} = {old!r}, not {new!r}'
