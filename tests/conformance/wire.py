"""HTTP with one server: calls under /api/v1, answers that must be granted or refused, and the trace of both."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.conformance.checks import must, must_be, must_have

ACTIONS = {"none", "retry", "relogin", "upgrade", "resnapshot", "new_device", "contact"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECRET = re.compile(r'("(?:token|password)": ?")[^"]*')
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
POLLED_EVERY_S = 0.2
SHOWN = 4000  # characters of a body in the trace

Parts = dict[str, Any]


def new_id() -> str:
    """A UUID of version 7 in lower case (RFC 9562 5.7)."""
    raw = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))


def moment(offset_s: float = 0) -> str:
    """Now, plus an offset in seconds, as the wire writes it."""
    at = datetime.now(UTC) + timedelta(seconds=offset_s)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Line:
    """The line to one server: its address, one HTTP client, where exchanges are told (None: nowhere), and how many
    times longer than the protocol allows to wait for what the server does by itself (on a busy machine)."""

    def __init__(self, url: str, told: Callable[[str], None] | None = None, *, timeout_s: float = 60,
                 patience: float = 1) -> None:
        self.url = url.rstrip("/")
        self.told, self.patience = told, patience
        self.http = httpx.Client(timeout=timeout_s)

    def exchange(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """One request; `path` is under /api/v1, or under the root when it starts with `//`, or a whole address."""
        answer = self.http.request(method, self.address(path), **parts)
        if self.told:
            self.told(f"> {method} {path}\n{_text(answer.request)}\n< {answer.status_code} "
                      f"{answer.headers.get('content-type', '')}\n{_text(answer)}\n")
        return answer

    def address(self, path: str) -> str:
        if path.startswith(("http://", "https://")):
            return path
        at_root = path.startswith("/api/v1/")  # a Location may be one
        return self.url + (path[1:] if path.startswith("//") else path if at_root else f"/api/v1{path}")


def _text(message: httpx.Request | httpx.Response) -> str:
    """A body for the trace: at most SHOWN characters of a text, without tokens and passwords."""
    try:
        text = SECRET.sub(r"\1...", message.content.decode())
    except (UnicodeDecodeError, httpx.RequestNotRead):
        return "  (bytes)"
    return "  " + (text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)")


class Wire:
    """Calls with one bearer token, or with none."""

    def __init__(self, line: Line, token: str | None = None) -> None:
        self.line, self.token = line, token

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **parts: Any) -> httpx.Response:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.line.exchange(method, path, headers={**own, **(headers or {})}, **parts)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.call("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.call("POST", path, json={} if body is None else body)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self.call("PATCH", path, json=body)

    def until(self, look: Callable[[], Any], *, within_s: float) -> Any:
        """The first true value of `look`; its last value when time, stretched by the line's patience, is up."""
        deadline = time.monotonic() + within_s * self.line.patience
        while not (seen := look()) and time.monotonic() < deadline:
            time.sleep(POLLED_EVERY_S)
        return seen

    def hello(self) -> Parts:
        return granted(self.get("/hello"))

    def record(self, type: str, id: str) -> Parts:
        return granted(self.get(f"/records/{type}/{id}"))

    def fields(self, type: str, id: str) -> Parts:
        return self.record(type, id)["fields"]

    def history(self, type: str, id: str) -> list[Parts]:
        return granted(self.get(f"/records/{type}/{id}/history"))["items"]


def shown(answer: httpx.Response) -> str:
    """An answer in one line, for a report."""
    return f"{answer.status_code} to {answer.request.method} {str(answer.url)[:160]}: {answer.text[:600]}"


def granted(answer: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    must(answer.status_code == status, f"status {status}", shown(answer))
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int | tuple[int, ...], code: str | None = None,
            action: str | None = None) -> Parts:
    """The problem of an answer that must be a refusal (RFC 9457) of this status, code and action."""
    statuses = (status,) if isinstance(status, int) else status
    wanted = "/".join(map(str, statuses)) + (f" {code}" if code else "") + (f" (action {action})" if action else "")
    must(answer.status_code in statuses, f"refusal {wanted}", shown(answer))
    kind = answer.headers.get("content-type", "").partition(";")[0]
    must_be(kind, "application/problem+json", "content type of a refusal")
    problem = answer.json()
    must_be(problem.get("status"), answer.status_code, "member status of the problem")
    check_problem(problem)
    must(code is None or problem["code"] == code, f"refusal {wanted}", shown(answer))
    must(action is None or problem["action"] == action, f"refusal {wanted}", shown(answer))
    return problem


def check_problem(problem: Any) -> None:
    """A problem, as an answer or inside an outcome, has the members of section 0."""
    must_have(problem, "type title status code detail action", "a problem")
    must(isinstance(problem["code"], str) and CODE.fullmatch(problem["code"]) is not None, "a snake_case code", problem)
    must(problem["action"] in ACTIONS, "one of the protocol's actions", problem)
    for path, texts in (problem.get("errors") or {}).items():
        sound = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        must(sound, f"errors.{path} is a list of messages", problem)


def dumped(body: Any) -> bytes:
    """A body as it is sent and signed: UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False).encode()
