"""Servers that break one promise each: a proxy before a sound server, and the spoils it can do to an answer.

They show that the runner has teeth: for every spoil the check named beside it must fail (test_runner.py).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx

Parts = dict[str, Any]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    query: str
    body: bytes

    def is_for(self, path: str) -> bool:
        return self.path == f"/api/v1{path}"

    @property
    def given(self) -> dict[str, str]:
        """The query's arguments."""
        return dict(httpx.QueryParams(self.query))


@dataclass
class Answer:
    """An answer on its way back; a spoil changes it in place."""

    status: int
    headers: dict[str, str]
    body: bytes

    def change(self, how: Callable[[Any], Any]) -> None:
        """Replace the JSON by what `how` makes of it."""
        self.body = json.dumps(how(json.loads(self.body)), ensure_ascii=False).encode()


Spoil = Callable[[Asked, Answer], None]


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 50


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Tell nothing."""


@contextmanager
def spoilt_server(url: str, spoil: Spoil) -> Iterator[str]:
    """Serve what the server at `url` answers, spoilt; yields the address."""
    with httpx.Client(timeout=60) as upstream:
        def application(environ: Parts, start_response: Callable[..., Any]) -> Iterable[bytes]:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
            asked = Asked(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), body)
            answer = forwarded(upstream, url, asked, environ)
            spoil(asked, answer)
            start_response(f"{answer.status} Spoilt", list(answer.headers.items()))
            return [] if asked.method == "HEAD" else [answer.body]

        server = make_server("127.0.0.1", 0, application, Threaded, Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def forwarded(upstream: httpx.Client, url: str, asked: Asked, environ: Parts) -> Answer:
    """What the sound server answers; a content type goes along, a coding of the answer does not."""
    headers = {name[5:].replace("_", "-"): value for name, value in environ.items()
               if name.startswith("HTTP_") and name not in ("HTTP_CONNECTION", "HTTP_ACCEPT_ENCODING")}
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    answer = upstream.request(asked.method, f"{url}{asked.path}?{asked.query}", content=asked.body,
                              headers={**headers, "Accept-Encoding": "identity"})
    kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
    return Answer(answer.status_code, kept, answer.content)


# spoils, made of what they do to an answer


def at(path: str, how: Callable[[Any], Any], *, status: int = 200) -> Spoil:
    """Change the JSON of one call's answers of this status."""
    def spoil(asked: Asked, answer: Answer) -> None:
        if asked.is_for(path) and answer.status == status:
            answer.change(how)
    return spoil


def outcomes(how: Callable[[Parts], Parts]) -> Spoil:
    """Change each outcome of a push."""
    return at("/sync/push", lambda body: {**body, "outcomes": [how(each) for each in body["outcomes"]]})


def changes(how: Callable[[list[Parts]], list[Parts]]) -> Spoil:
    """Change the changes of a pull."""
    return at("/sync/pull", lambda body: {**body, "changes": how(body["changes"])})


def everywhere(how: Callable[[str], str]) -> Spoil:
    """Change the text of every JSON answer."""
    def spoil(asked: Asked, answer: Answer) -> None:
        if "json" in answer.headers.get("content-type", ""):
            answer.body = how(answer.body.decode()).encode()
    return spoil
