"""Archives from the web, which may be hostile."""

import shutil
import sys
import zlib
from pathlib import Path

from tqdm import tqdm

if sys.version_info >= (3, 11, 4):
    import tarfile
else:  # tarfile.data_filter is missing there
    from backports import tarfile

_BLOCK = 2**20


def extract(
    archive: str | Path, folder: str | Path, progress: bool = False
) -> None:
    """Extract a tar archive, refusing members that leave the folder.

    The members are first extracted to ``<name>.extracted.part`` in the folder
    and moved to their places when all are complete, so that an interruption
    leaves no incomplete data set. Files that exist already stay, unless the
    archive contains them too.

    Args:
        archive: A .tar, .tgz or .tar.gz file.
        folder: Where to; made if absent.
        progress: Show a progress bar on stderr.

    Raises:
        ValueError: The archive is truncated or corrupt, or a member leaves
            the folder: by its name, through a link, or as a device.
        OSError: A file could not be written, for example because the disk is
            full.
    """
    archive, folder = Path(archive), Path(folder)
    part = folder / f'{archive.name}.extracted.part'
    shutil.rmtree(part, ignore_errors=True)  # of a killed process
    part.mkdir(parents=True)
    try:
        _extract(archive, part, progress)
        _move_content(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _extract(archive: Path, folder: Path, progress: bool) -> None:
    members = _members(archive)
    try:
        for member in members:  # all before the first is written
            tarfile.data_filter(member, str(folder))
        with tarfile.open(archive) as tar:
            bar = tqdm(
                tar,
                desc=archive.name,
                total=len(members),
                unit='file',
                disable=not progress,
            )
            for member in bar:
                _write(tar, member, folder)
    except tarfile.FilterError as error:
        raise ValueError(
            f'{archive}: refused, a member leaves the folder: {error}'
        ) from None


def _members(archive: Path) -> list[tarfile.TarInfo]:
    """The members of an archive, after a check that it is complete."""
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            # tarfile stops at the last member; gzip's checksum comes later.
            while tar.fileobj.read(_BLOCK):
                pass
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ValueError(
            f'{archive}: could not be extracted; download it again: {error}'
        ) from None
    return members


def _write(
    tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path
) -> None:
    """Extract a member; an error here is not the fault of the archive."""
    try:
        tar.extract(member, folder, filter='data')
    except OSError as error:
        # A full disk does not say which file it was.
        error.filename = error.filename or str(folder / member.name)
        raise


def _move_content(source: Path, target: Path) -> None:
    """Move what is in a folder; folders that are in both are merged."""
    for entry in source.iterdir():
        place = target / entry.name
        if place.is_dir() and entry.is_dir() and not entry.is_symlink():
            _move_content(entry, place)
        else:
            entry.replace(place)
