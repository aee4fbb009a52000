"""Calls under /api/v1 with a bearer token: JSON out, JSON in, every failure an exception.

Serves the device and whoever speaks to the office's half of the API: demo, tests, integrators.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

API = "/api/v1"
PASSING = frozenset({408, 423, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed a little later."""


class Unreachable(Exception):
    """No answer, or none that this protocol knows (a captive portal's page). Whether the request arrived is open."""


class Problem(Exception):
    """A refusal of RFC 9457 (protocol section 0). `body` is the whole document, `retry_after` is in seconds."""

    def __init__(self, code: str, status: int, action: str, detail: str = "", retry_after: float | None = None,
                 body: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.code, self.status, self.action, self.detail = code, status, action, detail
        self.retry_after = retry_after
        self.body = body or {}

    @classmethod
    def of(cls, answer: httpx.Response) -> Problem:
        """The problem of an answer; one that is not problem+json (a proxy's, a HEAD's) gets the code `http_STATUS`."""
        try:
            body = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            body = {}
        return cls(str(body.get("code") or f"http_{answer.status_code}"), answer.status_code,
                   str(body.get("action") or ("retry" if answer.status_code in PASSING else "none")),
                   str(body.get("detail") or answer.reason_phrase), _seconds(answer.headers.get("Retry-After")), body)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a client tries and how long it waits in between; `wait` takes seconds."""

    tries: int = 1
    first_s: float = 0.5
    longest_s: float = 30.0
    wait: Callable[[float], None] = time.sleep

    def is_short_for(self, failure: Unreachable | Problem) -> bool:
        """Does the server ask to come again later than this waits?"""
        return isinstance(failure, Problem) and (failure.retry_after or 0) > self.longest_s

    def delay_s(self, attempt: int, failure: Unreachable | Problem) -> float | None:
        """Seconds before the attempt after this one (the first is 1); None when waiting would not help."""
        if isinstance(failure, Problem):
            if failure.status not in PASSING or self.is_short_for(failure):
                return None
            if failure.retry_after is not None:
                return failure.retry_after
        return float(min(self.longest_s, self.first_s * 2 ** (attempt - 1)))


class Client:
    """Holds a token. Paths stand under /api/v1, those that begin with `//` at the server's root."""

    def __init__(self, base_url: str, token: str | None = None, *, transport: httpx.BaseTransport | None = None,
                 timeout_s: float = 60.0, patience: Patience | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.patience = patience or Patience()
        self._http = httpx.Client(transport=transport, timeout=timeout_s)

    def log_in(self, username: str, password: str) -> dict[str, Any]:
        """Open a session, keep its token, and give the user."""
        session = self.post("/sessions", {"username": username, "password": password})
        self.token = session["token"]
        user: dict[str, Any] = session["user"]
        return user

    def get(self, path: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The parsed JSON (or the text of a text/plain answer) of a GET."""
        return _parsed(self.request("GET", path, params=params, headers=headers))

    def post(self, path: str, body: Any = None, *, tries: int | None = None) -> Any:
        """The parsed answer to a POST of JSON."""
        return _parsed(self.request("POST", path, json={} if body is None else body, tries=tries))

    def patch(self, path: str, body: Any) -> Any:
        """The parsed answer to a PATCH with JSON."""
        return _parsed(self.request("PATCH", path, json=body))

    def delete(self, path: str) -> Any:
        """The parsed answer to a DELETE, mostly None."""
        return _parsed(self.request("DELETE", path))

    def post_bytes(self, path: str, content: bytes, headers: Mapping[str, str]) -> Any:
        """The parsed answer to a POST of exactly these bytes."""
        return _parsed(self.request("POST", path, content=content, headers=headers))

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None,
                content: bytes | None = None, headers: Mapping[str, str] | None = None,
                tries: int | None = None) -> httpx.Response:
        """One call, repeated as patience allows; `tries=1` for what must not be sent twice unasked.

        Raises Problem for every answer from 300 on, Unreachable when none came.
        """
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        if json is not None:
            content, sent["Content-Type"] = orjson.dumps(json), "application/json"
        given = {name: value for name, value in (params or {}).items() if value is not None}
        request = self._http.build_request(method, self.url(path), params=given, content=content, headers=sent)
        attempt = 1
        while True:
            try:
                return self._send(request)
            except (Unreachable, Problem) as failure:
                delay_s = self.patience.delay_s(attempt, failure)
                if delay_s is None or attempt >= (tries or self.patience.tries):
                    raise
                self.patience.wait(delay_s)
                attempt += 1

    @contextmanager
    def stream(self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
               timeout_s: float | None = None) -> Iterator[httpx.Response]:
        """A GET whose body the caller reads as it comes, tried once. Raises as `request` does, also while it is read;
        `timeout_s` is the longest silence."""
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        given = {name: value for name, value in (params or {}).items() if value is not None}
        request = self._http.build_request("GET", self.url(path), params=given, headers=sent,
                                           timeout=timeout_s or self._http.timeout)
        try:
            answer = self._http.send(request, stream=True)
            try:
                if answer.status_code >= 300:
                    answer.read()
                    raise Problem.of(answer)
                yield answer
            finally:
                answer.close()
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(f"GET {request.url.path}: {type(error).__name__}: {error}") from error

    def url(self, path: str) -> str:
        """The address of a path."""
        return str(httpx.URL(self.base_url).join(path[1:])) if path.startswith("//") else f"{self.base_url}{API}{path}"

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._http.send(request)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(f"{request.method} {request.url.path}: {type(error).__name__}: {error}") from error
        if answer.status_code >= 300:
            raise Problem.of(answer)
        return answer


def _parsed(answer: httpx.Response) -> Any:
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if not answer.content:
        return None
    if kind == "text/plain":
        return answer.text
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise Unreachable(f"{answer.request.url.path} answered {kind or 'something'} instead of JSON") from None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None
