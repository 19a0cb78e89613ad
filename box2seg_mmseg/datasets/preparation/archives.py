"""Archives from the web, which may be hostile."""

import tarfile
from pathlib import Path

from tqdm import tqdm


def extract(
    archive: str | Path, folder: str | Path, progress: bool = False
) -> None:
    """Extract a tar archive, or nothing of it that leads elsewhere.

    Args:
        archive: A .tar, .tgz or .tar.gz file.
        folder: Where to; made if absent.
        progress: Show a progress bar on stderr.

    Raises:
        ValueError: It is no whole archive, or a member leaves the folder: by
            its name, through a link, or as a device.
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            for member in members:  # all before the first is written
                tarfile.data_filter(member, str(folder))
            bar = tqdm(
                members, desc=archive.name, unit='file', disable=not progress
            )
            for member in bar:
                tar.extract(member, folder, filter='data')
    except tarfile.FilterError as error:
        raise ValueError(
            f'{archive}: refused, a member leaves the folder: {error}'
        ) from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(
            f'{archive}: could not be extracted; get it anew: {error}'
        ) from None
