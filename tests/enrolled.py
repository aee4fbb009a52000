"""An enrolled device for tests, from protocol.md alone: numbering, signature, capture chain, what it pulled."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any

import httpx
import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.wire import Person, Wire, a_finding, base64url, check_problem, granted, moment, new_id, sha256

NO_ENTRY = "0" * 64


class Handheld(Wire):
    """An enrolled device: numbers and signs its mutations, keeps a capture chain, remembers what it pulled."""

    def __init__(self, url: str, code: str, *, signs: bool = True, name: str = "测试机") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1()) if signs else None
        body = {"code": code, "name": name, "platform": "android", "app_version": "1.0.0"}
        if self.key:
            body["public_key"] = self.public_key()
        self.enrolment = granted(Wire(url).post("/devices", body), 201)
        super().__init__(url, self.enrolment["token"])
        self.id = self.enrolment["device_id"]
        self.user = self.enrolment["user"]
        self.numbers = itertools.count(1)
        self.cursor: str | None = None
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.settled: list[dict[str, Any]] = []
        self.seq, self.prev = 0, NO_ENTRY
        self.owner: Person | None = None

    def public_key(self) -> dict[str, str]:
        assert self.key is not None
        numbers = self.key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": base64url(numbers.x.to_bytes(32, "big")),
                "y": base64url(numbers.y.to_bytes(32, "big"))}

    def sign(self, content: bytes) -> str:
        """base64url of the raw 64 bytes r||s."""
        assert self.key is not None
        r, s = decode_dss_signature(self.key.sign(content, ec.ECDSA(hashes.SHA256())))
        return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    # making mutations: each takes the next number

    def mutation(self, type: str, record_id: str, op: str, **members: Any) -> dict[str, Any]:
        return {"n": next(self.numbers), "id": new_id(), "type": type, "record_id": record_id, "op": op, "base": 0,
                "made_at": moment(), **members}

    def create(self, type: str, scope: str, fields: dict[str, Any], *, id: str | None = None,
               **members: Any) -> dict[str, Any]:
        return self.mutation(type, id or new_id(), "put", scope=scope, set=fields, **members)

    def edit(self, type: str, record_id: str, base: int, **members: Any) -> dict[str, Any]:
        return self.mutation(type, record_id, "put", base=base, **members)

    def command(self, type: str, record_id: str, base: int, name: str, args: dict[str, Any] | None = None,
                expect: dict[str, Any] | None = None) -> dict[str, Any]:
        command = {"name": name, "args": args or {}, **({"expect": expect} if expect else {})}
        return self.mutation(type, record_id, "command", base=base, command=command)

    def remove(self, type: str, record_id: str, base: int, reason: str = "误报") -> dict[str, Any]:
        return self.mutation(type, record_id, "delete", base=base, set={"reason": reason})

    # sending

    def send(self, body: bytes, *, signature: str | None = "own", compressed: bool = False,
             **headers: str) -> httpx.Response:
        """POST /sync/push of exactly these bytes, signed before any content encoding."""
        sent = {"Content-Type": "application/json", **headers}
        if signature == "own" and self.key:
            sent["Menqian-Signature"] = self.sign(body)
        elif signature and signature != "own":
            sent["Menqian-Signature"] = signature
        if compressed:
            sent["Content-Encoding"], body = "gzip", gzip.compress(body)
        return self.http.post(self.url("/sync/push"), content=body, headers=sent)

    def push(self, *mutations: dict[str, Any], **envelope: Any) -> httpx.Response:
        return self.send(json.dumps({"mutations": list(mutations), **envelope}, ensure_ascii=False).encode())

    def deliver(self, *mutations: dict[str, Any]) -> list[dict[str, Any]]:
        """Push and give the outcomes, one a mutation and in their order."""
        answer = granted(self.push(*mutations))
        outcomes = answer["outcomes"]
        assert [outcome["n"] for outcome in outcomes] == [mutation["n"] for mutation in mutations]
        assert [outcome["id"] for outcome in outcomes] == [mutation["id"] for mutation in mutations]
        for outcome in outcomes:
            if outcome["problem"]:
                check_problem(outcome["problem"])
        return outcomes

    def report(self, scope: str, **fields: Any) -> str:
        """Deliver one complete finding; its id."""
        mutation = self.create("finding", scope, a_finding(**fields))
        outcome, = self.deliver(mutation)
        assert outcome["outcome"] == "applied", outcome
        return mutation["record_id"]

    def catch_up(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Pull until there is no more; the changes, which are also applied to `rows`."""
        changes: list[dict[str, Any]] = []
        while True:
            page = granted(self.pull(self.cursor, limit))
            self.cursor = page["cursor"]
            self.settled += page["settled"]
            for change in page["changes"]:
                changes.append(change)
                if change["op"] == "put":
                    self.rows[change["type"], change["id"]] = change
                else:
                    self.rows.pop((change["type"], change["id"]), None)
            if not page["more"]:
                return changes

    # capturing

    def capture(self, scope: str, content: bytes, about: tuple[str, str], *, role: str = "scene",
                beacon: str | None = None, **fields: Any) -> dict[str, Any]:
        """The mutation of an evidence record with its entry of the capture chain (protocol section 7)."""
        record_id = new_id()
        values = {"sha256": sha256(content), "bytes": len(content), "media_type": "image/jpeg", "role": role,
                  "about": {"type": about[0], "id": about[1]}, "captured_at": moment(-30), **fields}
        self.seq += 1
        values["capture"], self.prev = self.chain_entry(record_id, values, self.seq, self.prev, beacon)
        return self.create("evidence", scope, values, id=record_id)

    def chain_entry(self, record_id: str, values: dict[str, Any], seq: int, prev: str,
                    beacon: str | None) -> tuple[dict[str, Any], str]:
        """(`capture`, hash of the entry): RFC 8785 canonical JSON, hashed and signed."""
        entry = rfc8785.dumps({
            "device_id": self.id, "seq": seq, "prev": prev, "beacon": beacon, "sha256": values["sha256"],
            "bytes": values["bytes"], "captured_at": values["captured_at"], "position": values.get("position"),
            "record_id": record_id})
        capture: dict[str, Any] = {"seq": seq, "prev": prev, "beacon": beacon}
        if self.key:
            capture["sig"] = self.sign(entry)
        return capture, sha256(entry)
