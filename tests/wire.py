"""A small raw client of the wire protocol, for tests alone: it knows protocol.md and nothing of our own code.

`Person` is somebody with a login; `tests.enrolled` has the enrolled device. Both answer with plain `httpx.Response`s;
`granted` and `refused` say what a response must be.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

ACTIONS = {"none", "retry", "relogin", "upgrade", "resnapshot", "new_device", "contact"}
EVENT = "GB/T 30428.2-2013:event"


def new_id() -> str:
    """A UUID of version 7, lower case."""
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    raw = bytearray(stamp + os.urandom(10))
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))


def moment(offset_s: float = 0) -> str:
    """Now (plus an offset) as the wire writes it: RFC 3339, UTC, milliseconds."""
    at = datetime.now(UTC) + timedelta(seconds=offset_s)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shown(answer: httpx.Response) -> str:
    """An answer in one line, for the message of a failed assertion."""
    return f"{answer.request.method} {str(answer.url)[:200]}: {answer.status_code} {answer.text[:1000]}"


def granted(answer: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert answer.status_code == status, shown(answer)
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int | tuple[int, ...], code: str | None = None,
            action: str | None = None) -> dict[str, Any]:
    """The problem of an answer that must be a refusal of RFC 9457 with a stable code and a known action."""
    statuses = (status,) if isinstance(status, int) else status
    where = shown(answer)
    assert answer.status_code in statuses, where
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json", where
    problem = answer.json()
    assert {"type", "title", "status", "code", "detail", "action"} <= set(problem), where
    assert problem["status"] == answer.status_code, where
    check_problem(problem)
    assert code is None or problem["code"] == code, where
    assert action is None or problem["action"] == action, where
    return problem


def check_problem(problem: dict[str, Any]) -> None:
    """A code in snake_case, one of the actions, and messages by field path."""
    code = problem["code"]
    assert code == code.lower() and code.replace("_", "a").isalnum(), problem
    assert problem["action"] in ACTIONS, problem
    for path, texts in (problem.get("errors") or {}).items():
        assert isinstance(path, str) and isinstance(texts, list), problem
        assert all(isinstance(text, str) for text in texts), problem


def position(lon: float, lat: float, crs: str = "EPSG:4326", accuracy_m: float = 3.0) -> dict[str, Any]:
    return {"lon": lon, "lat": lat, "crs": crs, "accuracy_m": accuracy_m, "provider": "gps", "fixed_at": moment(),
            "mock": False}


def a_finding(text: str = "店外经营", **fields: Any) -> dict[str, Any]:
    """Fields of a complete finding, at an address unless a place is given."""
    place = {"address": "武宜路2号"} if not {"position", "sticker_serial"} & set(fields) else {}
    return {"class_scheme": EVENT, "class_code": "0504", "text": text, "observed_at": moment(-60), "source": "patrol",
            **place, **fields}


class Wire:
    """Calls under /api/v1 with a bearer token; paths that start with `//` stand at the root."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.root = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(headers=headers, timeout=60)
        self.token = token

    def url(self, path: str) -> str:
        return self.root + path[1:] if path.startswith("//") else f"{self.root}/api/v1{path}"

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.http.get(self.url(path), **kwargs)

    def head(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.http.head(self.url(path), **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> httpx.Response:
        return self.http.post(self.url(path), json={} if body is None else body, **kwargs)

    def patch(self, path: str, body: Any, **kwargs: Any) -> httpx.Response:
        return self.http.patch(self.url(path), json=body, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.http.delete(self.url(path), **kwargs)

    def record(self, type: str, id: str) -> dict[str, Any]:
        return granted(self.get(f"/records/{type}/{id}"))

    def hello(self) -> dict[str, Any]:
        return granted(self.get("/hello"))

    def pull(self, cursor: str | None = None, limit: int | None = None) -> httpx.Response:
        given = {"cursor": cursor, "limit": limit}
        return self.get("/sync/pull", params={name: value for name, value in given.items() if value is not None})

    def upload(self, content: bytes, media_type: str = "image/jpeg", *, digest: str | None = None,
               chunk: int | None = None) -> httpx.Response:
        """tus: create, then PATCH in chunks; gives the last answer (of the creation, when that was a refusal)."""
        answer = self.create_upload(len(content), digest or sha256(content), media_type)
        if answer.status_code != 201:
            return answer
        where, step = answer.headers["Location"], chunk or max(len(content), 1)
        for offset in range(0, max(len(content), 1), step):
            answer = self.patch_upload(where, offset, content[offset:offset + step])
            if answer.status_code != 204:
                break
        return answer

    def create_upload(self, length: int, digest: str, media_type: str = "image/jpeg", *, content: bytes | None = None,
                      **headers: str) -> httpx.Response:
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}"
                            for name, value in (("sha256", digest), ("filetype", media_type)))
        sent = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": metadata, **headers}
        if content is not None:
            sent["Content-Type"] = "application/offset+octet-stream"
        return self.http.post(self.url("/uploads"), headers=sent, content=content or b"")

    def patch_upload(self, location: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
        sent = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream", **headers}
        return self.http.patch(self.absolute(location), headers=sent, content=content)

    def head_upload(self, location: str) -> httpx.Response:
        return self.http.head(self.absolute(location), headers={"Tus-Resumable": "1.0.0"})

    def absolute(self, location: str) -> str:
        return str(httpx.URL(self.root).join(location))


class Person(Wire):
    """Somebody with a user name: an office login, and the owner of devices."""

    def __init__(self, url: str, username: str, password: str) -> None:
        session = granted(Wire(url).post("/sessions", {"username": username, "password": password}), 201)
        super().__init__(url, session["token"])
        self.user, self.username, self.password = session["user"], username, password
        self.id = session["user"]["id"]

    def create(self, type: str, scope: str, fields: dict[str, Any], id: str | None = None) -> httpx.Response:
        return self.post(f"/records/{type}", {"scope": scope, "fields": fields, **({"id": id} if id else {})})

    def edit(self, type: str, id: str, base: int, **changes: Any) -> httpx.Response:
        return self.post(f"/records/{type}/{id}/edits", {"base": base, **changes})

    def command(self, type: str, id: str, name: str, args: dict[str, Any] | None = None,
                expect: dict[str, Any] | None = None) -> httpx.Response:
        body = {"name": name, "args": args or {}, **({"expect": expect} if expect else {})}
        return self.post(f"/records/{type}/{id}/commands", body)
