"""An enrolled device as the protocol has it: numbering, signature, capture chain, and the rows that it pulled."""

from __future__ import annotations

import gzip
import itertools
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.conformance.canonical import canonical
from tests.conformance.checks import must, must_be, must_have
from tests.conformance.wire import (
    Line,
    Parts,
    Wire,
    base64url,
    check_problem,
    dumped,
    granted,
    moment,
    new_id,
    sha256,
)

if TYPE_CHECKING:
    from tests.conformance.office import Person

EVENT = "GB/T 30428.2-2013:event"
NO_ENTRY = "0" * 64
OUTCOMES = {"applied", "merged", "conflicted", "held", "quarantined"}


def place(lon: float, lat: float, crs: str = "EPSG:4326", accuracy_m: float = 3.0) -> Parts:
    """A position of protocol section 0."""
    return {"lon": lon, "lat": lat, "crs": crs, "accuracy_m": accuracy_m, "provider": "gps", "fixed_at": moment(),
            "mock": False}


def a_finding(text: str = "店外经营", **fields: Any) -> Parts:
    """Fields of a complete finding; at an address unless a place is given."""
    where = {} if {"position", "sticker_serial"} & set(fields) else {"address": "武宜路2号"}
    return {"class_scheme": EVENT, "class_code": "0504", "text": text, "observed_at": moment(-60), "source": "patrol",
            **where, **fields}


class Device(Wire):
    """A device: numbers and signs its mutations, keeps a capture chain, remembers what it pulled."""

    owner: Person

    def __init__(self, line: Line, code: str, *, signs: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1()) if signs else None
        body: Parts = {"code": code, "name": "conformance", "platform": "test", "app_version": "1"}
        if self.key:
            body["public_key"] = self.public_key()
        self.enrolment = granted(Wire(line).post("/devices", body), 201)
        must_have(self.enrolment, "device_id token user scopes hello", "an enrolment")
        super().__init__(line, self.enrolment["token"])
        self.id, self.user = self.enrolment["device_id"], self.enrolment["user"]
        self.numbers = itertools.count(1)
        self.cursor: str | None = None
        self.rows: dict[tuple[str, str], Parts] = {}
        self.settled: list[Parts] = []
        self.seq, self.prev = 0, NO_ENTRY

    def public_key(self) -> dict[str, str]:
        """The JWK of the public key (RFC 7518 6.2)."""
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

    def mutation(self, type: str, record_id: str, op: str, **members: Any) -> Parts:
        return {"n": next(self.numbers), "id": new_id(), "type": type, "record_id": record_id, "op": op, "base": 0,
                "made_at": moment(), **members}

    def create(self, type: str, fields: Parts, *, scope: str | None = None, id: str | None = None,
               **members: Any) -> Parts:
        """A creation, in the owner's first scope unless another is given."""
        return self.mutation(type, id or new_id(), "put", scope=scope or self.user["scopes"][0], set=fields, **members)

    def edit(self, type: str, record_id: str, base: int, **members: Any) -> Parts:
        return self.mutation(type, record_id, "put", base=base, **members)

    def command(self, type: str, record_id: str, base: int, name: str, args: Parts | None = None,
                expect: Parts | None = None) -> Parts:
        command = {"name": name, "args": args or {}, **({"expect": expect} if expect else {})}
        return self.mutation(type, record_id, "command", base=base, command=command)

    def deletion(self, type: str, record_id: str, base: int, reason: str = "误报") -> Parts:
        return self.mutation(type, record_id, "delete", base=base, set={"reason": reason})

    # sending and fetching

    def send(self, body: bytes, *, signature: str | None = "own", **headers: str) -> httpx.Response:
        """POST /sync/push of these bytes, signed before any content encoding unless another signature is given."""
        sent = {"Content-Type": "application/json", **headers}
        if signature == "own" and self.key:
            sent["Menqian-Signature"] = self.sign(body)
        elif signature not in (None, "own"):
            sent["Menqian-Signature"] = str(signature)
        encoded = gzip.compress(body) if headers.get("Content-Encoding") == "gzip" else body
        return self.call("POST", "/sync/push", content=encoded, headers=sent)

    def push(self, *mutations: Parts, **envelope: Any) -> httpx.Response:
        return self.send(dumped({"mutations": list(mutations), **envelope}))

    def deliver(self, *mutations: Parts) -> list[Parts]:
        """Push and give the outcomes, which must be one a mutation, in order and of the protocol's shape."""
        answer = granted(self.push(*mutations))
        must_have(answer, "outcomes last_n epoch server_time checkpoint", "the answer of a push")
        outcomes = answer["outcomes"]
        must_be([(each["n"], each["id"]) for each in outcomes], [(each["n"], each["id"]) for each in mutations],
                "outcomes, by n and id,")
        for outcome in outcomes:
            must_have(outcome, "n id record_id outcome version conflicts problem replayed", "an outcome")
            must(outcome["outcome"] in OUTCOMES, "an outcome of the protocol", outcome)
            if outcome["problem"] is not None:
                check_problem(outcome["problem"])
        return outcomes

    def give(self, mutation: Parts, outcome: str = "applied", code: str | None = None) -> Parts:
        """Push one mutation; its outcome, which must be this one (with a problem of this code)."""
        came = self.deliver(mutation)[0]
        must(came["outcome"] == outcome, f"outcome {outcome}", came)
        must(code is None or (came["problem"] or {}).get("code") == code, f"{outcome} with code {code}", came)
        return came

    def report(self, **fields: Any) -> str:
        """Deliver a complete finding; its id."""
        mutation = self.create("finding", a_finding(**fields))
        self.give(mutation)
        return mutation["record_id"]

    def page(self, cursor: str | None, limit: int | None = None) -> Parts:
        """One page of a pull, checked for its members."""
        page = granted(self.get("/sync/pull", cursor=cursor, limit=limit))
        must_have(page, "changes cursor more last_n scopes media_wanted settled epoch server_time checkpoint", "a page")
        return page

    def catch_up(self, limit: int | None = None) -> list[Parts]:
        """Pull until there is no more and keep the rows; gives the changes."""
        changes: list[Parts] = []
        more, seen = True, {self.cursor}
        while more:
            page = self.page(self.cursor, limit)
            self.cursor, more = page["cursor"], page["more"]
            must(not more or self.cursor not in seen, "a cursor that moves on while there is more", self.cursor)
            seen.add(self.cursor)
            self.settled += page["settled"]
            changes += page["changes"]
            self.keep(page["changes"])
        return changes

    def keep(self, changes: list[Parts]) -> None:
        """Apply changes to the rows, as protocol section 3 has it."""
        for change in changes:
            if change["op"] == "put":
                self.rows[change["type"], change["id"]] = change
            else:
                self.rows.pop((change["type"], change["id"]), None)

    # capturing

    def capture(self, content: bytes, about: str, *, role: str = "scene", beacon: str | None = None,
                **fields: Any) -> Parts:
        """The mutation of an evidence record about a finding, with its entry of the capture chain."""
        record_id = new_id()
        values: Parts = {"sha256": sha256(content), "bytes": len(content), "media_type": "image/png", "role": role,
                         "about": {"type": "finding", "id": about}, "captured_at": moment(-30), **fields}
        self.seq += 1
        entry = canonical({
            "device_id": self.id, "seq": self.seq, "prev": self.prev, "beacon": beacon, "sha256": values["sha256"],
            "bytes": values["bytes"], "captured_at": values["captured_at"], "position": values.get("position"),
            "record_id": record_id})
        values["capture"] = {"seq": self.seq, "prev": self.prev, "beacon": beacon,
                             **({"sig": self.sign(entry)} if self.key else {})}
        self.prev = sha256(entry)
        return self.create("evidence", values, id=record_id)
