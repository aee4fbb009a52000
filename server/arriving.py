"""The body of a request as it arrives, in blocks, however the line behaves. Serves the uploads API.

Nothing is buffered beyond a block and what gunicorn reads ahead (1 MiB). A line that goes quiet, or that is slower than
any real one, is given up by closing its reading half: gunicorn then hands out what it still holds, so that not a byte
that came is lost, and the answer can still be written.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from threading import Timer
from typing import Any

from flask import Response, request
from gunicorn.http.errors import ParseException

BLOCK_BYTES = 256 * 1024
# gunicorn hands nothing out before it has 1 KiB: what is less and goes quiet must still show as partial within 10 s.
FIRST_SECONDS = 6.0
QUIET_SECONDS = 8.0
GRACE_SECONDS = 30.0
SLOWEST_BYTES_A_SECOND = 1024
DROPPED_BYTES = 1024 * 1024
DROPPING_SECONDS, BUSY_SECONDS = 3.0, 0.25


class Arriving:
    """Iterates once over the body. Afterwards `whole` says whether all of it came, `gave_up` whether we ended it."""

    def __init__(self, environ: Mapping[str, Any], most: int, within_s: float | None = None) -> None:
        """`most` is how many bytes make sense here; it bounds the time when the request does not say its length.

        `within_s` bounds the time instead, for a body in which nobody is interested.
        """
        length = environ.get("CONTENT_LENGTH")
        endless = environ.get("wsgi.input_terminated") and environ.get("HTTP_TRANSFER_ENCODING")
        self.length: int | None = int(length) if length else None if endless else 0
        expected = most if self.length is None else self.length
        self.within_s = within_s or GRACE_SECONDS + expected / SLOWEST_BYTES_A_SECOND
        self.came = 0
        self.gave_up = self._cut = False
        self._input = environ["wsgi.input"]
        self._line: socket.socket | None = environ.get("gunicorn.socket")

    @property
    def whole(self) -> bool:
        return not self._cut and not self.gave_up and self.length in (None, self.came)

    def __iter__(self) -> Iterator[bytes]:
        """The first block is one byte, so that it is known at once that bytes come."""
        deadline = Timer(self.within_s, self._give_up)
        deadline.daemon = True
        before = self._line.gettimeout() if self._line else None
        try:
            if self._line:
                self._line.settimeout(FIRST_SECONDS)
                deadline.start()
            while block := self._read(BLOCK_BYTES if self.came else 1):
                self.came += len(block)
                yield block
                if self._line:
                    self._line.settimeout(QUIET_SECONDS)
        finally:
            deadline.cancel()
            if self._line:
                self._line.settimeout(before)

    def _read(self, size: int) -> bytes:
        if self.length is not None:
            size = min(size, self.length - self.came)
        if size == 0:
            return b""
        try:
            return bytes(self._input.read(size))
        except TimeoutError:
            self._give_up()
        except (OSError, ParseException):
            self._cut = True
            self._close_reading()
        with suppress(OSError, ParseException):  # what came before the failure is still held behind the input
            return bytes(self._input.read(size))
        return b""

    def _give_up(self) -> None:
        self.gave_up = True
        self._close_reading()

    def _close_reading(self) -> None:
        if self._line:
            with suppress(OSError):  # it is closed already
                self._line.shutdown(socket.SHUT_RD)


def drop_refused(response: Response) -> Response:
    """Read and drop the rest of a refused body that is no larger than a client's usual chunk.

    Where more than 64 KiB are left gunicorn closes the connection, and the client's next request would meet that. One
    who shall come again later is not waited for: a thread is what we lack. His line ends where it has not come by then.
    The answer says so wherever the line ends.
    """
    busy = response.status_code == 503
    if response.status_code >= 400 and 0 < (request.content_length or 0) <= (sys.maxsize if busy else DROPPED_BYTES):
        for _ in Arriving(request.environ, DROPPED_BYTES, BUSY_SECONDS if busy else DROPPING_SECONDS):
            pass
    if response.status_code >= 400 and _is_left(request.environ["wsgi.input"]):
        response.headers["Connection"] = "close"
    return response


def _is_left(body: Any) -> bool:
    """Has gunicorn not handed out all of this body? Of one in chunks it knows when it has met the end."""
    reader = getattr(body, "reader", None)
    return bool(getattr(reader, "length", 0) or getattr(reader, "parser", None))
