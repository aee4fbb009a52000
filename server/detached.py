"""An answer that goes on after its request: the connection is taken out of gunicorn, so that no thread waits on it.

Serves `server/live.py`. gunicorn's thread workers put the client's socket into the request's environment. Its file is
doubled for us, and under the old number stands a line whose other end has hung up: to gunicorn this is a client that
went away, which it must cope with anyway. It counts the connection as closed and its thread is free.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request
from werkzeug.http import http_date


def can_detach() -> bool:
    """Can the connection of this request be taken? Not from another server than gunicorn's, nor through TLS of its
    own, nor when HTTP/2 has other requests on it."""
    line = request.environ.get("gunicorn.socket")
    return isinstance(line, socket.socket) and not isinstance(line, ssl.SSLSocket) \
        and request.environ.get("HTTP_VERSION") != "2"


class Detached(Response):
    """Sends its headers and `first`, then gives the open, non-blocking socket to `keep`.

    The body has no length and no chunks: it ends with the connection (RFC 9112, 6.3, rule 8).
    """

    automatically_set_content_length = False

    def __init__(self, mimetype: str, first: bytes, keep: Callable[[socket.socket], None]) -> None:
        super().__init__(mimetype=mimetype)
        self._first, self._keep = first, keep

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Take the line over; what gunicorn gets to write after that goes nowhere."""
        headers = [*self.get_wsgi_headers(environ), ("Date", http_date()), ("Connection", "close")]
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        line = _take(environ["gunicorn.socket"])
        try:
            line.sendall(f"HTTP/1.1 {self.status}\r\n{head}\r\n".encode("latin-1") + self._first)
            line.setblocking(False)
            self._keep(line)
        except OSError:  # the client has gone already
            line.close()
        start_response(self.status, [])
        return []


def _take(line: socket.socket) -> socket.socket:
    """The connection under a new number; under the old one a line on which the other end has hung up."""
    ours = line.dup()
    near, far = socket.socketpair()
    far.close()
    os.dup2(near.fileno(), line.fileno(), inheritable=False)
    near.close()
    return ours
