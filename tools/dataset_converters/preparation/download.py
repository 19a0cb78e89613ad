"""Downloads that resume after an interruption and are verified."""

import hashlib
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tqdm import tqdm

_BLOCK = 2**20


@dataclass(frozen=True)
class Download:
    """A file on the web.

    Args:
        url: Its address.
        size: In bytes.
        md5: Its checksum, hexadecimal.
    """

    url: str
    size: int
    md5: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.url.rsplit('/', 1)[-1]


def download(
    source: Download,
    folder: str | Path,
    attempts: int = 8,
    timeout: float = 30.0,
    pause: float = 2.0,
    progress: bool = False,
) -> Path:
    """Download a file, or the missing rest of it.

    If the connection breaks, the received part stays in ``<name>.part``, and
    the next attempt or call requests only the rest. The file gets
    its name when its size and checksum are right.

    Args:
        source: The file.
        folder: Where to put it; made if absent.
        attempts: How often to try without any progress before giving up.
        timeout: Seconds without a byte after which a connection counts as
            cut.
        pause: Seconds to wait after the first fruitless attempt; twice as
            long after each further one.
        progress: Show a progress bar on stderr.

    Returns:
        Path of the file.

    Raises:
        OSError: The server could not be reached, or kept cutting.
        ValueError: The file is another one: its size or checksum differs.
            What was fetched is deleted, what was there before is not.
    """
    path = Path(folder, source.name)
    part = path.with_name(f'{path.name}.part')
    part.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _verify(path, source, 'delete it, or pass it as --voc or --sbd')
        return path
    fruitless = 0
    while (have := part.stat().st_size if part.exists() else 0) < source.size:
        try:
            _fetch(source, part, have, timeout, progress)
            reason = 'the server sent too little'
        except (OSError, HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) and (
                400 <= error.code < 500 and error.code != 416
            ):
                raise OSError(
                    f'{source.url}: the server refused the download: {error}'
                ) from None
            reason = str(error) or type(error).__name__
        now = part.stat().st_size if part.exists() else 0
        if now >= source.size:
            break
        fruitless = 0 if now > have else fruitless + 1
        if fruitless == attempts:
            raise OSError(
                f'{source.url}: gave up after {attempts} attempts at byte '
                f'{now} of {source.size}: {reason}; run the command again to '
                f'continue, or put the file at {path}'
            )
        if fruitless:
            time.sleep(pause * 2 ** (fruitless - 1))
    try:
        _verify(part, source, 'it was deleted')
    except ValueError:
        part.unlink()
        raise
    part.replace(path)
    return path


def _fetch(
    source: Download, part: Path, have: int, timeout: float, progress: bool
) -> None:
    request = urllib.request.Request(source.url)
    if have:
        request.add_header('Range', f'bytes={have}-')
    with urllib.request.urlopen(request, timeout=timeout) as response:
        # A server that knows no ranges sends the file from its beginning.
        is_rest = response.status == 206
        _check_reply(response, source, have)
        with (
            part.open('ab' if is_rest else 'wb') as file,
            tqdm(
                desc=source.name,
                total=source.size,
                initial=have if is_rest else 0,
                unit='B',
                unit_scale=True,
                disable=not progress,
            ) as bar,
        ):
            while block := response.read1(_BLOCK):
                file.write(block)
                bar.update(len(block))


def _check_reply(response: HTTPResponse, source: Download, have: int) -> None:
    """Refuse what is no part of the file, such as a page of a proxy."""
    if response.status == 206:
        name, expected = 'Content-Range', f'bytes {have}-'
        fits = response.headers.get(name, '').startswith(expected)
    else:
        name, expected = 'Content-Length', str(source.size)
        fits = response.headers.get(name) == expected
    if not fits:
        raise OSError(
            f'the server sent {name} {response.headers.get(name)} in place '
            f'of {expected}'
        )


def _verify(path: Path, source: Download, fix: str) -> None:
    size = path.stat().st_size
    digest = hashlib.md5(usedforsecurity=False)
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if size != source.size or digest.hexdigest() != source.md5:
        raise ValueError(
            f'{path}: is not the file that {source.url} should be: '
            f'{source.size} bytes, MD5 {source.md5}; {fix}. '
            f'Got: {size} bytes, MD5 {digest.hexdigest()}'
        )
