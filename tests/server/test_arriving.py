"""Bodies that come slowly, late, in part or not at all: whatever came is handed out, nobody is waited for for ever."""

import socket
import struct
import threading
import time

import pytest
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from server import arriving
from server.arriving import Arriving


class Line:
    """A connection with gunicorn's own reading of a body at its far end."""

    def __init__(self):
        self.near, self.far = socket.socketpair()

    def body(self, length=None, most=1_000_000):
        unreader = SocketUnreader(self.far)
        environ = {"gunicorn.socket": self.far, "wsgi.input_terminated": True}
        if length is None:
            return Arriving({**environ, "wsgi.input": Body(ChunkedReader(Request(), unreader)),
                             "HTTP_TRANSFER_ENCODING": "chunked"}, most)
        return Arriving({**environ, "wsgi.input": Body(LengthReader(unreader, length)),
                         "CONTENT_LENGTH": str(length)}, most)


class Request:
    limit_request_field_size = 8190
    max_buffer_headers = 8190 * 32

    def parse_headers(self, data, from_trailer=False):
        return []


@pytest.fixture
def line():
    line = Line()
    yield line
    line.near.close()
    line.far.close()


def test_a_body_that_comes_at_once_is_whole(line):
    content = bytes(range(256)) * 400
    line.near.sendall(content)
    body = line.body(len(content))
    blocks = list(body)
    assert b"".join(blocks) == content
    assert len(blocks[0]) == 1, "it is known at once that bytes come"
    assert max(map(len, blocks)) <= arriving.BLOCK_BYTES
    assert body.whole and not body.gave_up


def test_what_follows_the_body_is_left_for_the_next_request(line):
    line.near.sendall(b"body" + b"GET / HTTP/1.1")
    assert b"".join(line.body(4)) == b"body"


def test_of_a_body_that_is_cut_all_that_came_is_handed_out(line):
    line.near.sendall(b"x" * 1000)
    line.near.close()
    body = line.body(5000)
    assert b"".join(body) == b"x" * 1000
    assert not body.whole and not body.gave_up


def test_of_a_connection_that_is_reset_all_that_was_read_is_handed_out():
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with far:
        body = Arriving({"gunicorn.socket": far, "CONTENT_LENGTH": "5000", "wsgi.input_terminated": True,
                         "wsgi.input": Body(LengthReader(SocketUnreader(far), 5000))}, 5000)
        near.sendall(b"x" * 2000)  # gunicorn hands nothing out before it has 1 KiB
        blocks = iter(body)
        assert next(blocks) == b"x"
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        near.close()
        assert b"".join(blocks) == b"x" * 1999
        assert not body.whole and not body.gave_up


@pytest.mark.parametrize("came", [0, 1000, 3000])
def test_a_quiet_line_is_given_up_and_what_came_is_handed_out(line, monkeypatch, came):
    monkeypatch.setattr(arriving, "FIRST_SECONDS", 0.2)
    monkeypatch.setattr(arriving, "QUIET_SECONDS", 0.2)
    line.near.sendall(b"x" * came)
    body = line.body(5000)
    assert b"".join(body) == b"x" * came
    assert body.gave_up and not body.whole
    line.far.sendall(b"the answer")
    assert line.near.recv(100) == b"the answer"


def test_a_line_that_drips_is_given_up(line, monkeypatch):
    monkeypatch.setattr(arriving, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(arriving, "SLOWEST_BYTES_A_SECOND", 1_000_000)
    ended = threading.Event()

    def drip():
        while not ended.is_set():
            try:
                line.near.sendall(b"x")
            except OSError:  # the far end reads no longer
                return
            time.sleep(0.02)

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    body = line.body(5000)
    came = len(b"".join(body))
    ended.set()
    dripping.join()
    assert time.monotonic() - began < 5
    assert body.gave_up and 0 < came < 5000


def test_a_chunked_body_needs_no_length(line):
    line.near.sendall(b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")
    body = line.body()
    assert b"".join(body) == b"firstsecond"
    assert body.whole


def test_of_a_chunked_body_that_is_cut_what_came_is_handed_out(line):
    line.near.sendall(b"5\r\nfirst\r\n6\r\nsec")
    line.near.close()
    body = line.body()
    assert b"".join(body) == b"firstsec"
    assert not body.whole


def test_a_chunked_body_that_makes_no_sense_ends_there(line):
    line.near.sendall(b"5\r\nfirst\r\nzz\r\n")
    body = line.body()
    assert b"".join(body) == b"first"
    assert not body.whole


def test_a_request_without_length_has_no_body():
    assert list(Arriving({"wsgi.input": None}, 10)) == []
