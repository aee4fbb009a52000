"""The one HTTP client of all measurements: a keep-alive connection, bodies encoded beforehand, answers parsed."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import orjson

IDLE_S = 5.0  # a server may close a connection that rests; the others' rounds are such a rest


class Busy(Exception):
    """The server asks to come again."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


class Line:
    """One connection to one server, for one thread."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, timeout: float = 120) -> None:
        parts = urlsplit(url)
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        self.used = 0.0

    def call(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The parsed answer; an AssertionError when it is no success, Busy when it is 503."""
        return orjson.loads(self._answer(method, path, body, headers or {})[1])

    def fetch(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._answer("GET", path, None, {})[1]

    def told(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Message:
        """The headers of an answer that says the rest with its status."""
        return self._answer(method, path, body, headers)[0]

    def _answer(self, method: str, path: str, body: bytes | None,
                headers: Mapping[str, str]) -> tuple[Message, bytes]:
        if time.monotonic() - self.used > IDLE_S:
            self.connection.close()
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        content = answer.read()
        self.used = time.monotonic()
        if answer.status == 503:
            raise Busy(float(answer.headers.get("Retry-After", 1)))
        assert answer.status < 300, f"{method} {path[:200]}: {answer.status} {content[:1000]!r}"
        return answer.headers, content
