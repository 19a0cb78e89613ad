"""Against a server of our own that cuts, lies and stalls."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from preparation.download import Download, download

DATA = bytes(range(256)) * 2000


class _Server(ThreadingHTTPServer):
    """Serves DATA; ``behaviour`` says how badly."""

    daemon_threads = True
    behaviour = 'well'
    knows_ranges = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.starts = []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, data = self.server, DATA
        start = 0
        if server.behaviour == 'missing':
            self.send_error(404)
            return
        if server.behaviour == 'wrong':
            data = data[::-1]
        if self.headers['Range'] and server.knows_ranges:
            start = int(self.headers['Range'].split('=')[1].rstrip('-'))
        server.starts.append(start)
        if server.behaviour == 'page' and len(server.starts) == 1:
            start, data = 0, b'Log in to the network.'
        if server.behaviour == 'other range' and len(server.starts) == 1:
            start -= 100
        self.send_response(206 if start else 200)
        self.send_header('Content-Length', str(len(data) - start))
        if start:
            bounds = f'{start}-{len(data) - 1}/{len(data)}'
            self.send_header('Content-Range', f'bytes {bounds}')
        self.end_headers()
        if server.behaviour == 'cuts':
            self.wfile.write(data[start : start + 150_000])
        elif server.behaviour == 'stalls' and len(server.starts) == 1:
            self.wfile.write(data[:100_000])
            self.wfile.flush()
            time.sleep(3)
        elif server.behaviour != 'silent':
            self.wfile.write(data[start:])

    def log_message(self, *args):
        """Nothing on stderr."""


@pytest.fixture
def server():
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


def _source(server, data=DATA):
    return Download(
        f'http://127.0.0.1:{server.server_port}/some.tar',
        len(data),
        hashlib.md5(data).hexdigest(),
    )


def test_a_whole_file_is_fetched_once(server, tmp_path):
    for _ in range(2):
        path = download(_source(server), tmp_path / 'new')
        assert path.read_bytes() == DATA
    assert server.starts == [0]
    assert [p.name for p in path.parent.iterdir()] == ['some.tar']


def test_a_cut_file_goes_on_where_it_was_cut(server, tmp_path):
    server.behaviour = 'cuts'
    path = download(_source(server), tmp_path, pause=0)
    assert path.read_bytes() == DATA
    assert server.starts == [0, 150_000, 300_000, 450_000]


def test_a_server_without_ranges_starts_again(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / 'some.tar.part').write_bytes(DATA[:1000])
    assert download(_source(server), tmp_path).read_bytes() == DATA


@pytest.mark.parametrize('behaviour', ['page', 'other range'])
def test_a_wrong_reply_leaves_what_has_arrived(server, tmp_path, behaviour):
    server.behaviour = behaviour
    part = tmp_path / 'some.tar.part'
    part.write_bytes(DATA[:200_000])
    with pytest.raises(OSError, match=r'byte 200000 .*the server sent Conte'):
        download(_source(server), tmp_path, attempts=1)
    assert part.read_bytes() == DATA[:200_000]
    server.starts.clear()
    path = download(_source(server), tmp_path, pause=0)
    assert path.read_bytes() == DATA
    assert server.starts == [200_000, 200_000], 'it is asked again'


def test_a_page_is_not_taken_for_the_beginning(server, tmp_path):
    server.behaviour = 'page'
    path = download(_source(server), tmp_path, pause=0)
    assert path.read_bytes() == DATA
    assert server.starts == [0, 0]


def test_a_stalled_connection_is_left(server, tmp_path):
    server.behaviour = 'stalls'
    start = time.monotonic()
    path = download(_source(server), tmp_path, timeout=0.5, pause=0)
    assert path.read_bytes() == DATA
    assert time.monotonic() - start < 3
    assert server.starts == [0, 100_000]


def test_wrong_bytes_are_deleted_and_told(server, tmp_path):
    server.behaviour = 'wrong'
    with pytest.raises(ValueError, match=r'some\.tar.*MD5.*deleted'):
        download(_source(server), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_of_the_user_is_kept(server, tmp_path):
    path = tmp_path / 'some.tar'
    path.write_bytes(b'mine')
    with pytest.raises(ValueError, match=r'delete it, or pass it as --voc'):
        download(_source(server), tmp_path)
    assert path.read_bytes() == b'mine'
    assert server.starts == []


def test_what_can_not_be_fetched_is_told(server, tmp_path):
    server.behaviour = 'silent'
    with pytest.raises(OSError, match=r'gave up after 2 attempts at byte 0'):
        download(_source(server), tmp_path, attempts=2, pause=0)
    server.behaviour = 'missing'
    with pytest.raises(OSError, match=r'refused the download: .*404'):
        download(_source(server), tmp_path)
