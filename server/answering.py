"""gunicorn's thread worker, as clients of the protocol meet it: what it cannot read is a problem like every other
failure, and a line that ends says so beforehand. Serves `server/serving.py`.
"""

from __future__ import annotations

import http
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson
import structlog
from gunicorn import util
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import ThreadWorker

from schemas.problems import Problem

log = structlog.get_logger()
CODES: Mapping[type[Exception], str] = {
    LimitRequestLine: "address_too_long", LimitRequestHeaders: "headers_too_large",
    ExpectationFailed: "expectation_failed", UnsupportedTransferCoding: "not_implemented",
    ParseException: "malformed_request"}

Application = Callable[[Any, Callable[..., Any]], Iterable[bytes]]


class Worker(ThreadWorker):
    """See the module."""

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi = ending_openly(self.wsgi)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer what never came to the application, or what it raised before it answered."""
        code = next((code for kind, code in CODES.items() if isinstance(exc, kind)), "internal_error")
        if code == "internal_error":
            log.error("request_failed", exc_info=exc)
        else:
            structlog.contextvars.clear_contextvars()  # of the request before, in this thread
            log.warning("request_unreadable", code=code, error=type(exc).__name__, peer=addr[0] if addr else None)
        with suppress(OSError):  # whoever sent it is gone
            util.write_nonblock(client, answer_of(Problem(code)))


def answer_of(problem: Problem) -> bytes:
    """The bytes of a problem's answer, after which the line ends."""
    status, body = problem.kind.status, orjson.dumps(problem.to_dict())
    return (f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def ending_openly(application: Application) -> Application:
    """The application, whose `Connection: close` gunicorn keeps; by itself it drops such a header (PEP 3333: it is the
    server's to say) and would tell a client to use a line again that it closes."""
    def answered(environ: Any, start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if ("Connection", "close") in headers:
                start_response.__self__.force_close()
            return start_response(status, headers, *more)
        return application(environ, start)
    return answered
