"""The reference device: work offline, deliver when there is a network, see both. The face of this package.

    device = Device.enrol("http://127.0.0.1:8000", code, "Huang's handheld", directory)
    finding = device.create("finding", {"text": "门前堆物", "address": "...", "observed_at": "..."}, scope="320412100")
    device.capture(photo, about=("finding", finding), role="scene")
    report = device.sync()
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from schemas.values import stamp
from sync.device.bundle import Bundle
from sync.device.capture import Chain
from sync.device.client import Client, Patience, Problem, Unreachable
from sync.device.delivery import Delivery
from sync.device.events import Events
from sync.device.exchange import Delivered, Exchange, Parts, Report
from sync.device.files import KEEP, SNIFFED_BYTES, File, Files, media_type_of
from sync.device.identity import Identity, enrol, new_key
from sync.device.outbox import Clock, Outbox, RandomBytes
from sync.device.poke import wait_for_poke
from sync.device.rows import Rows
from sync.device.store import FILE_NAME, Store
from sync.device.uploads import CHUNK_BYTES, Uploads
from sync.device.view import Made, Record, shown
from sync.device.witness import Witness

PATIENCE = Patience(tries=4)
Members = Mapping[str, Sequence[Any]]


def now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class Device:
    """One enrolled device in its own directory. For one thread at a time.

    Everything that talks raises Unreachable (no answer) and Problem (a refusal); what was made stays in the outbox.
    `invite`, when given, is asked for a new invitation code when the server finds the device forked. `base_url` is
    for a server that is reached under another address than at enrolment. Photos stay here for `keep` after the server
    has verified them.
    """

    def __init__(self, directory: Path, *, transport: httpx.BaseTransport | None = None, clock: Clock = now,
                 random: RandomBytes = os.urandom, patience: Patience = PATIENCE,
                 invite: Callable[[], str] | None = None, base_url: str | None = None,
                 keep: timedelta = KEEP) -> None:
        self.store = store = Store(directory)
        self.client = Client(base_url or store.get("base_url", ""), store.get("token"), transport=transport,
                             patience=patience)
        self.identity = identity = Identity(store)
        self.rows, self.files = Rows(store), Files(store, clock, keep)
        self._events = Events(store, clock)
        self.outbox = Outbox(store, clock, random)
        self.witness = Witness(store, self.client, clock, self._events)
        self._chain = Chain(store, identity, self.outbox, self.witness)
        self._exchange = Exchange(Parts(store, self.client, identity, self.outbox, self.rows, self.files, self.witness,
                                        self._chain, self._events, clock))
        self.delivery = Delivery(store, self.client, self.outbox, self.witness)
        self._uploads = Uploads(self.files, self.client)
        self._clock, self._invite = clock, invite

    @classmethod
    def enrol(cls, base_url: str, code: str, name: str, directory: Path, *, sign: bool = True,
              key: ec.EllipticCurvePrivateKey | None = None, **parts: Any) -> Device:
        """Enrol with an invitation code into an empty directory; `parts` as for `open`. Raises Problem."""
        device = cls(directory, base_url=base_url, **parts)
        if device.store.get("device_id"):
            raise FileExistsError(f"{directory} already holds a device")
        with device.store.transaction():
            device.store.put("base_url", base_url)
            device.store.put("name", name)
        device._enrol(code, (key or new_key()) if sign else None)
        return device

    @classmethod
    def open(cls, directory: Path, **parts: Any) -> Device:
        """The device that was enrolled in this directory."""
        device = cls(directory, **parts) if (directory / FILE_NAME).exists() else None
        if device is None or device.store.get("device_id") is None:
            raise FileNotFoundError(f"no enrolled device in {directory}")
        return device

    def enrol_anew(self, code: str) -> None:
        """Become a new device of the same person: what was not settled is numbered from 1 and delivered again."""
        self._enrol(code, new_key() if self.identity.key else None)

    def close(self) -> None:
        """Let go of file and connections."""
        self.client.close()
        self.store.close()

    # what it is

    @property
    def id(self) -> str:
        """The device's id, as the last enrolment gave it."""
        return self.identity.device_id

    @property
    def user(self) -> dict[str, Any]:
        """The person it belongs to."""
        user: dict[str, Any] = self.store.get("user")
        return user

    @property
    def state(self) -> str:
        """`enrolled`, `revoked` or `forked`."""
        return str(self.store.get("state"))

    # making: never needs a network

    def create(self, type: str, fields: Mapping[str, Any], scope: str, *, id: str | None = None) -> str:
        """Make a record and give its id."""
        record_id = id or self.outbox.new_id()
        self.outbox.make("put", type, record_id, 0, scope=scope, set=dict(fields))
        return record_id

    def edit(self, type: str, id: str, set: Mapping[str, Any] | None = None, add: Members | None = None,
             remove: Members | None = None, *, base: int | None = None, scope: str | None = None) -> None:
        """Change a record: only the named fields. `base` is the version looked at, else that of the row here."""
        self.outbox.make("put", type, id, self._base(type, id, base), scope=scope, set=set, add=add, remove=remove)

    def command(self, type: str, id: str, name: str, args: Mapping[str, Any] | None = None,
                expect: Mapping[str, Any] | None = None, *, base: int | None = None) -> None:
        """Ask for what only the server does, such as `close`; `expect` names what must still hold."""
        command = {"name": name, "args": args or {}, **({"expect": expect} if expect else {})}
        self.outbox.make("command", type, id, self._base(type, id, base), command=command)

    def delete(self, type: str, id: str, reason: str, *, base: int | None = None) -> None:
        """Delete a record, for a reason."""
        self.outbox.make("delete", type, id, self._base(type, id, base), set={"reason": reason})

    def group(self) -> AbstractContextManager[str]:
        """What is made within is all-or-nothing, here and on the server."""
        return self.outbox.group()

    def capture(self, photo: bytes | Path, *, about: tuple[str, str], role: str, scope: str | None = None,
                captured_at: str | None = None, position: Mapping[str, Any] | None = None,
                media_type: str | None = None, **fields: Any) -> str:
        """Take a photo into evidence and give the record's id; `about` is (type, id), `scope` by default its scope."""
        scope = scope or self._known(*about).scope
        sha256, size = self.files.keep(photo)
        media_type = media_type or media_type_of(self.files.read(sha256, 0, SNIFFED_BYTES))
        record_id, at = self.outbox.new_id(), self._clock()
        values = {"sha256": sha256, "bytes": size, "media_type": media_type, "role": role,
                  "about": {"type": about[0], "id": about[1]}, "captured_at": captured_at or stamp(at),
                  **({"position": dict(position)} if position else {}), **fields}
        with self.store.transaction():
            self.files.add(sha256, size, media_type, at)
            values["capture"] = self._chain.add(record_id, values)
            self.create("evidence", values, scope, id=record_id)
        return record_id

    # seeing: the server's rows with what was made here since

    def get(self, type: str, id: str) -> Record | None:
        """A record as a person on this device sees it, None when there is none."""
        return shown(type, id, self.rows.get(type, id), self.outbox.made(type, id))

    def records(self, type: str) -> list[Record]:
        """All records of a type, by id."""
        made: dict[str, list[Made]] = {}
        for each in self.outbox.made(type):
            made.setdefault(each.body["record_id"], []).append(each)
        rows = {row.id: row for row in self.rows.of_type(type)}
        return [record for id in sorted({*rows, *made}) if (record := shown(type, id, rows.get(id), made.get(id, ())))]

    def unsent(self) -> list[dict[str, Any]]:
        """The mutations that the server has not acknowledged, in their order."""
        return [{"n": each.n, **each.body} for each in self.outbox.made(state="waiting")]

    def quarantined(self) -> list[Made]:
        """What the server keeps but has not applied, with the problem."""
        return self.outbox.made(state="quarantined")

    def events(self) -> list[dict[str, Any]]:
        """What befell this device that a person should know: `{at, kind, …}`, oldest first."""
        return self._events.all()

    def photos(self, state: str | None = None) -> list[File]:
        """The photos and how far they have come."""
        return self.files.all(state)

    def settled_conflicts(self) -> list[dict[str, Any]]:
        """What became of conflicts over values made by this person: field, choice, value, by whom; oldest first."""
        return [event for event in self.events() if event["kind"] == "conflict_settled"]

    def bundle(self, to: Path) -> dict[str, Any]:
        """Write everything undelivered to a file, for `menqian outbox import`; gives its `outbox.json`."""
        return Bundle(self.store, self.identity, self.outbox, self.files, self._clock).write(to)

    def everything_delivered(self) -> bool:
        """True when the server's signed receipt (`delivery.receipt`) covers all that was made and captured here."""
        return self.delivery.complete

    # talking

    def sync(self, *, chunk_bytes: int = CHUNK_BYTES) -> Report:
        """Say hello, push, upload, pull, and say what still waits."""
        self._must_be_free()
        self._exchange.greet()
        pushed = self.push()
        try:
            uploaded = self.upload(chunk_bytes)
        finally:                                         # photos that cannot go are no reason to hear no news
            received = self.pull()
            self._exchange.tell_health()
        self.delivery.renew()
        return Report(pushed.delivered, self.outbox.health()["unsent"], pushed.conflicts, pushed.quarantined, uploaded,
                      len(self.photos("waiting")), received)

    def push(self, limit: int | None = None) -> Delivered:
        """Deliver what waits; a forked device enrols anew when it knows whom to ask for an invitation."""
        self._must_be_free()
        try:
            return self._exchange.push(limit)
        except Problem as problem:
            if problem.action != "new_device" or self._invite is None:
                raise
            self.enrol_anew(self._invite())
            return self._exchange.push(limit)

    def pull(self, limit: int | None = None) -> int:
        """Fetch what changed; gives the number of changes."""
        self._must_be_free()
        return self._exchange.pull(limit)

    def wait_for_poke(self, timeout_s: float) -> bool:
        """Wait at most about so long for a hint that there is something to pull; `sync` after it, whatever it says."""
        self._must_be_free()
        return wait_for_poke(self.client, self.store.get("cursor"), timeout_s)

    def upload(self, chunk_bytes: int = CHUNK_BYTES) -> int:
        """Bring the waiting photos; gives how many are there now."""
        self._must_be_free()
        try:
            return self._uploads.upload(chunk_bytes)
        except Problem as problem:
            if problem.code == "http_401":  # a HEAD's answer has no body that would say why; hello's has
                self._exchange.greet()
            raise

    def cancel_upload(self, sha256: str) -> None:
        """Terminate a begun upload on the server; the photo goes on waiting here."""
        self._uploads.cancel(sha256)

    def verify(self) -> list[tuple[str, str]]:
        """The (scope, type) of which server and device hold different rows; empty when all agree.

        Right after a pull a difference may also be a change that came in between: pull and verify again.
        """
        answer = self.client.post("/sync/verify")
        theirs = {(each["scope"], each["type"]): (each["count"], each["digest"]) for each in answer["scopes"]}
        ours = self.rows.digests()
        return sorted(key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key))

    def _enrol(self, code: str, key: ec.EllipticCurvePrivateKey | None) -> None:
        again = self.store.get("device_id") is not None
        enrolment = enrol(self.client, code, self.store.get("name"), key)
        with self.store.transaction():
            self.identity.take(enrolment, key)
            if again:
                restored = self.store.get("asked") or self.store.get("epoch") not in (
                    None, enrolment["hello"]["epoch"])
                self.outbox.number_anew(enrolment["device_id"], everything=bool(restored))
                if restored:
                    self.store.put("new_epoch_after", 0)
                self.store.put("cursor", None)
                self.rows.begin_again()
                self.store.put("new_enrolment", True)
        self.client.token = enrolment["token"]
        with suppress(Unreachable, Problem):  # it is enrolled, whatever comes of this; the first push says hello again
            self._exchange.greet()

    def _base(self, type: str, id: str, base: int | None) -> int:
        return self._known(type, id).version if base is None else base

    def _known(self, type: str, id: str) -> Record:
        record = self.get(type, id)
        if record is None:
            raise LookupError(f"no {type} {id} on this device")
        return record

    def _must_be_free(self) -> None:
        if self.store.busy:
            raise RuntimeError("within a group nothing is sent")
