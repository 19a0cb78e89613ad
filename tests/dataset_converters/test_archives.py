import errno
import io
import os

import pytest
from preparation.archives import extract, tarfile


def _archive(path, *members):
    with tarfile.open(path, 'w:gz') as tar:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            data = b'some' if kind == tarfile.REGTYPE else b''
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


GOOD = ('VOC/some.txt', tarfile.REGTYPE, '')


def test_members_are_extracted(tmp_path):
    path = _archive(tmp_path / 'a.tgz', GOOD)
    extract(path, tmp_path / 'out')
    assert (tmp_path / 'out/VOC/some.txt').read_bytes() == b'some'


@pytest.mark.parametrize(
    'bad',
    [
        ('../evil.txt', tarfile.REGTYPE, ''),
        ('VOC/../../evil.txt', tarfile.REGTYPE, ''),
        ('VOC/link', tarfile.SYMTYPE, '../../evil'),
        ('VOC/hard', tarfile.LNKTYPE, '../evil'),
        ('VOC/device', tarfile.CHRTYPE, ''),
    ],
)
def test_a_hostile_archive_is_refused_whole(tmp_path, bad):
    path = _archive(tmp_path / 'a.tgz', GOOD, bad)
    with pytest.raises(ValueError, match=r'a\.tgz: refused, a member leaves'):
        extract(path, tmp_path / 'out')
    assert list((tmp_path / 'out').iterdir()) == []


def test_a_truncated_archive_is_named(tmp_path):
    path = _archive(tmp_path / 'a.tgz', GOOD)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match=r'a\.tgz: could not be extracted'):
        extract(path, tmp_path / 'out')


def test_an_interrupted_extraction_leaves_nothing(tmp_path, monkeypatch):
    path = _archive(tmp_path / 'a.tgz', GOOD, ('VOC/b', tarfile.REGTYPE, ''))
    out = tmp_path / 'out'

    def interrupted(tar, member, *args, **kwargs):
        if member.name == 'VOC/b':
            raise KeyboardInterrupt
        return whole(tar, member, *args, **kwargs)

    whole = tarfile.TarFile.extract
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tarfile.TarFile, 'extract', interrupted)
        extract(path, out)
    assert list(out.iterdir()) == []

    # A killed process cannot tidy up.
    (out / 'a.tgz.extracted.part/VOC').mkdir(parents=True)
    (out / 'a.tgz.extracted.part/VOC/half.txt').write_bytes(b'so')
    extract(path, out)
    assert [p.name for p in out.iterdir()] == ['VOC']
    assert {p.name for p in (out / 'VOC').iterdir()} == {'some.txt', 'b'}


def test_what_is_in_the_folder_already_is_kept(tmp_path):
    path = _archive(tmp_path / 'a.tgz', GOOD)
    mine = tmp_path / 'out/VOC/mine.txt'
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b'mine')
    for _ in range(2):
        extract(path, tmp_path / 'out')
        assert mine.read_bytes() == b'mine'
        assert (tmp_path / 'out/VOC/some.txt').read_bytes() == b'some'


@pytest.mark.parametrize(
    'damage',
    [
        lambda data: data[:-8] + bytes(4) + data[-4:],  # the checksum
        lambda data: data + data[:10] + b'\xff' * 20,  # what is deflated
    ],
)
def test_a_damaged_archive_is_named(tmp_path, damage):
    path = _archive(tmp_path / 'a.tgz', GOOD)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r'a\.tgz: could not be extracted'):
        extract(path, tmp_path / 'out')
    assert list((tmp_path / 'out').iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_archive(tmp_path, monkeypatch):
    path = _archive(tmp_path / 'a.tgz', GOOD)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tarfile, 'copyfileobj', full)
    with pytest.raises(OSError, match=r"No space left.*VOC/some\.txt'"):
        extract(path, tmp_path / 'out')
    assert list((tmp_path / 'out').iterdir()) == []
