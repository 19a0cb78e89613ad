"""A folder of pseudo labels that records how they were made.

The folder holds one PNG per image, ``manifest.json``, which says how they
were made, and ``records.jsonl``, one line per image in the order of their
ids. A run appends its records to ``records.part.jsonl``. If it is killed, it
loses only the images it was working on, and the next run ends with the same
bytes as one that was not killed.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..files import FolderError, hash_of, replacing, write_json
from .instance_exports import remove_instances
from .labelers.builder import LABELERS

MANIFEST = 'manifest.json'
RECORDS = 'records.jsonl'
JOURNAL = 'records.part.jsonl'


class StoreError(FolderError):
    """A folder of pseudo labels is not what a run needs."""


@dataclass(frozen=True)
class Record:
    """The result for one image.

    Args:
        image_id: Path of the image below the image folder, without suffix.
        inputs: Hash of the image file, the boxes and their labels; empty if
            the image could not be read.
        png: Hash of the PNG; empty if there is none.
        fallbacks: For each box why it was filled instead of segmented, or
            None.
        filling_rates: For each box the share of its pixels that its segment
            has, in ``[0, 1]``.
        agreements: For each box the mean IoU of its segment with those of
            perturbed boxes, in ``[0, 1]``; empty if there were none.
        error: Why the last run could not make or check the PNG, or None.
        masks: Hash of the file of instance masks; empty if there is none.
    """

    image_id: str
    inputs: str = ''
    png: str = ''
    fallbacks: list[str | None] = field(default_factory=list)
    filling_rates: list[float] = field(default_factory=list)
    agreements: list[float] = field(default_factory=list)
    error: str | None = None
    masks: str = ''

    def holds(self, path: Path) -> bool:
        """Whether a file is the PNG that was written."""
        return path.exists() and hash_of(path.read_bytes()) == self.png

    def holds_masks(self, path: Path) -> bool:
        """Whether a file has the masks that were written, if any were."""
        if not self.masks:
            return True
        return path.exists() and hash_of(path.read_bytes()) == self.masks


class PseudoLabelStore:
    """Opens a folder of pseudo labels for a run.

    Args:
        folder: Created if it does not exist.
        manifest: How the pseudo labels are made, as JSON can store it:
            ``labeler``, the labeler's config, ``classes`` and versions.
        overwrite: Start over if the folder's pseudo labels were made in
            another way.

    Raises:
        StoreError: They were made in another way and ``overwrite`` is False,
            or the folder has PNGs but no manifest. A folder with neither
            records nor PNGs is taken over.
    """

    def __init__(
        self,
        folder: str | Path,
        manifest: Mapping[str, Any],
        overwrite: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._journal = self.folder / JOURNAL
        path = self.folder / MANIFEST
        new = json.loads(json.dumps(manifest))
        old = read_manifest(folder)
        if old != new:
            image_ids = read_records(self.folder)
            has_pngs = any(self.folder.rglob('*.png'))
            is_used = bool(image_ids) or has_pngs
            if old is not None and is_used and not overwrite:
                raise StoreError(
                    f'{path}: {_difference(old, new)}; choose another folder '
                    'or start over in this one (--overwrite)'
                )
            if old is None and has_pngs:
                raise StoreError(
                    f'{folder}: contains PNGs that this tool did not write; '
                    'choose another folder'
                )
            # The manifest goes last: if this is killed, the pseudo labels
            # that are left still belong to the old one.
            if old is not None:
                for image_id in image_ids:
                    png_path(self.folder, image_id).unlink(missing_ok=True)
                remove_instances(self.folder, image_ids)
            (self.folder / RECORDS).unlink(missing_ok=True)
            self._journal.unlink(missing_ok=True)
            write_json(path, new)
        for part in self.folder.rglob('.*.part'):
            part.unlink(missing_ok=True)
        self._records = read_records(self.folder)
        self._seen: set[str] = set()

    def __getitem__(self, image_id: str) -> Record | None:
        """The record of an image, or None."""
        return self._records.get(image_id)

    def add(self, record: Record) -> None:
        """Note the result for an image."""
        self._seen.add(record.image_id)
        if self[record.image_id] == record:
            return
        self._records[record.image_id] = record
        # A line that is cut short, as on a full disk, does not spoil the next
        # one; finish() writes its record, or the next run makes it again.
        with (
            suppress(OSError),
            self._journal.open('ab', buffering=0) as journal,
        ):
            journal.write(b'\n' + json.dumps(asdict(record)).encode())

    def labelled(self) -> list[str]:
        """The images that have a pseudo label, in order."""
        return sorted(k for k, v in self._records.items() if v.png)

    def finish(self) -> None:
        """Write all records in order and remove the journal.

        Images that failed in an earlier run and are not part of this one are
        forgotten, or their error is if they have a PNG.

        Raises:
            OSError: The records could not be written; the journal stays.
        """
        for record in list(self._records.values()):
            if record.error is None or record.image_id in self._seen:
                continue
            if record.png:
                self._records[record.image_id] = replace(record, error=None)
            else:
                del self._records[record.image_id]
        with replacing(self.folder / RECORDS) as part, part.open('w') as file:
            for _, record in sorted(self._records.items()):
                file.write(json.dumps(asdict(record)) + '\n')
        self._journal.unlink(missing_ok=True)


def png_path(folder: Path, image_id: str) -> Path:
    """Path of an image's PNG in a folder of pseudo labels."""
    return folder / f'{image_id}.png'


def read_manifest(folder: str | Path) -> dict[str, Any] | None:
    """The manifest of a folder of label maps, or None if it has none.

    Raises:
        StoreError: The manifest is not valid JSON.
    """
    path = Path(folder, MANIFEST)
    if not path.exists():
        return None
    try:
        manifest = json.loads(path.read_text())
        if not isinstance(manifest, dict):
            raise ValueError('not a JSON object')
    except ValueError as error:
        raise StoreError(
            f'{path}: cannot be read; delete the folder: {error}'
        ) from None
    return manifest


def read_records(folder: Path) -> dict[str, Record]:
    """The records of a folder by image id."""
    records = {}
    for path in (folder / RECORDS, folder / JOURNAL):  # the journal is newer
        for line in path.read_text().splitlines() if path.exists() else ():
            # The last line of a run that was killed may be cut short.
            with suppress(ValueError, TypeError):
                record = Record(**json.loads(line))
                records[record.image_id] = record
    return records


def class_difference(old: list[str], new: list[str]) -> str | None:
    """The first class in which two lists differ, in words."""
    for number, pair in enumerate(zip_longest(old, new), start=1):
        if pair[0] != pair[1]:
            was, now = ('absent' if c is None else repr(c) for c in pair)
            return f'class {number} was {was} and is now {now}'
    return None


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two manifests, in words."""
    sides = [{**side.get('labeler', {}), **side} for side in (old, new)]
    # The names on the command line, or else those in configs.
    names = {cls.__name__: cls.method for cls in LABELERS if cls.method}
    methods = [names.get(s.get('type'), s.get('type')) for s in sides]
    if methods[0] != methods[1]:
        return 'made with --method {}, this run uses {}'.format(*methods)
    texts = []
    if 'classes' in old and 'classes' in new:
        texts.append(class_difference(old['classes'], new['classes']))
    elif 'classes' in old or 'classes' in new:
        run = 'this run' if 'classes' in old else 'the earlier run'
        texts.append(f'{run} does not name its classes')
    for key in sorted({*sides[0], *sides[1]} - {'classes', 'labeler'}):
        before, now = (side.get(key, 'none') for side in sides)
        if before != now:
            texts.append(f'{key} {before} -> {now}')
    return 'this run differs from the earlier one: ' + ', '.join(
        filter(None, texts)
    )
