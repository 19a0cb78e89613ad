import errno
from argparse import ArgumentParser
from pathlib import Path

import pytest

from box2seg_mmseg.command_line import run
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import replacing


@pytest.fixture
def run_main(monkeypatch, capsys):
    def run_it(main):
        monkeypatch.setattr('sys.argv', ['tool'])
        with pytest.raises(SystemExit) as exit_:
            run(main, ArgumentParser(prog='tool'))
        return exit_.value.code, capsys.readouterr().err

    return run_it


def test_a_file_that_cannot_be_written_is_named(run_main, tmp_path):
    path = tmp_path / 'table.json'

    def main(_):
        path.mkdir()
        with replacing(path) as part:
            part.write_text('x')

    text = f'tool: error: {path}: Is a directory\n'
    assert run_main(main) == (1, text)


def test_a_full_disk_is_named(run_main, tmp_path):
    path = tmp_path / 'new folder/table.json'

    def main(_):
        with replacing(path) as part:
            part.symlink_to('/dev/full')
            part.write_text('x')

    text = f'tool: error: {path}: No space left on device\n'
    assert run_main(main) == (1, text)


def test_a_read_only_disk_is_named(run_main, tmp_path, monkeypatch):
    def fail(path, **_):
        raise OSError(errno.EROFS, 'Read-only file system', str(path))

    def main(_):
        with replacing(tmp_path / 'table.json') as part:
            fail(part)

    monkeypatch.setattr(Path, 'unlink', fail)
    text = f'tool: error: {tmp_path}/table.json: Read-only file system\n'
    assert run_main(main) == (1, text)


def _raise(error):
    def main(_):
        raise error

    return main


def test_the_exit_status_tells_wrong_use_from_bad_data(run_main):
    assert run_main(_raise(UsageError('a:\n b'))) == (2, 'tool: error: a: b\n')
    assert run_main(_raise(ValueError('a'))) == (1, 'tool: error: a\n')
    assert run_main(_raise(KeyboardInterrupt())) == (130, 'interrupted\n')
    assert run_main(lambda _: 0) == (0, '')
