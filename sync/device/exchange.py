"""Delivering and fetching: the conversation of protocol sections 2 and 3. Serves `device`.

Read in this order: `push` sends batches until nothing waits, `pull` fetches pages until there are no more. Both meet
the server's epoch and its journal. Nothing is given up here: a refusal leaves the outbox as it is, or orders it anew.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from schemas.health import HEADER, write_header
from sync.device.capture import Chain
from sync.device.client import Client, Problem, Unreachable
from sync.device.epochs import Epochs
from sync.device.events import Events
from sync.device.files import Files
from sync.device.identity import Identity
from sync.device.outbox import ENVELOPE_BYTES, Clock, Outbox, Waiting
from sync.device.rows import Rows
from sync.device.snapshot import Snapshots
from sync.device.store import Store
from sync.device.witness import Witness

GZIP_FROM_BYTES = 1024
LONGEST_TRIP_MS = 600_000


@dataclass(slots=True)
class Delivered:
    """What pushes brought about: acknowledged mutations, opened conflicts, quarantined mutations."""

    delivered: int = 0
    conflicts: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One `sync`: mutations delivered and still waiting, conflicts opened, mutations quarantined, photos uploaded and
    still waiting, changes received."""

    delivered: int
    waiting: int
    conflicts: int
    quarantined: int
    uploaded: int
    photos_waiting: int
    received: int


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one device that take part in the exchange."""

    store: Store
    client: Client
    identity: Identity
    outbox: Outbox
    rows: Rows
    files: Files
    witness: Witness
    chain: Chain
    events: Events
    clock: Clock


class Exchange:
    """Speaks for one device."""

    def __init__(self, parts: Parts) -> None:
        self._store, self._client, self._outbox, self._rows = parts.store, parts.client, parts.outbox, parts.rows
        self._parts = parts
        self._snapshots = Snapshots(parts.store, parts.client)
        self._epochs = Epochs(parts.store, parts.outbox, parts.rows, parts.events)
        self._met: tuple[str, int] = ("", 0)
        self._greeted = False
        self._told_unsent: tuple[int, int] | None = None
        self._round_trip_ms: int | None = None

    def greet(self) -> None:
        """`GET /hello`: learn limits and epoch, and whether the server still has what it acknowledged."""
        try:
            hello = self._client.get("/hello")
        except Problem as problem:
            self._note_state(problem)
            raise
        with self._store.transaction():
            self._store.put("limits", hello["limits"])
            self._store.put("scopes", hello["scopes"]["codes"])
            self._epochs.meet(hello["epoch"], hello["device"]["last_n"])
        self._met = (hello["device"]["id"], hello["device"]["last_n"])
        self._parts.witness.meet()
        self._parts.witness.see(hello["checkpoint"], hello["epoch"])
        self._greeted = True

    def push(self, limit: int | None = None) -> Delivered:
        """Deliver all that waits, at most `limit` mutations a request.

        Raises Problem and Unreachable when the rest must wait; nothing is lost by it. `device_forked` and
        `device_revoked` are noted as the device's state.
        """
        self._make_ready()
        total, expected = Delivered(), 0
        count = min(limit or self._outbox.limit("mutations_per_push"), self._outbox.limit("mutations_per_push"))
        size = self._outbox.limit("push_bytes") - ENVELOPE_BYTES
        while batch := self._outbox.batch(count, size):
            try:
                answer = self._send(batch)
            except Problem as problem:
                if problem.code == "sequence_gap" and problem.body.get("expect") != expected:
                    expected = problem.body["expect"]
                    self._deliver_from(expected)
                elif problem.status == 413 and len({each.group or each.n for each in batch}) > 1:
                    count = max(1, len(batch) // 2)
                else:
                    self._note_state(problem)
                    raise
                continue
            self._receive(batch, answer, total)
        return total

    def pull(self, limit: int | None = None) -> int:
        """Fetch all changes, at most `limit` a page, from the beginning by a snapshot; gives how many came.

        On action `resnapshot` it begins again, out of sight until it has all; outbox and numbering stay.
        """
        received, begun_again = 0, False
        while True:
            cursor = self._store.get("cursor")
            try:
                page = (self._snapshots.load() if cursor is None else None) \
                    or self._ask(cursor, limit)
            except Problem as problem:
                self._note_state(problem)
                if problem.action != "resnapshot" or begun_again:
                    raise
                begun_again = True
                self._begin_again()
                continue
            self._parts.witness.see(page["checkpoint"], page["epoch"])
            received += self._take(page, first=cursor is None)
            if cursor is None:
                self._snapshots.remove()
            if not page["more"]:
                self._parts.files.remove_verified(page["server_time"])
                return received

    def _ask(self, cursor: str | None, limit: int | None) -> Mapping[str, Any]:
        """One page, and on the way a word about what has not been delivered."""
        headers = {HEADER: write_header(self._health())}
        page: Mapping[str, Any]
        with self._timed():
            page = self._client.get("/sync/pull", {"cursor": cursor, "limit": limit}, headers)
        return page

    def _health(self) -> dict[str, Any]:
        """What is said with a call, and remembered as said."""
        health = {**self._outbox.health(), "round_trip_ms": self._round_trip_ms}
        self._told_unsent = (health["unsent"], health["unsent_bytes"])
        return {name: value for name, value in health.items() if value is not None or name == "oldest_unsent_at"}

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Measure a call, so that the server can tell how far this clock is off."""
        began = self._parts.clock()
        yield
        taken_ms = (self._parts.clock() - began) / timedelta(milliseconds=1)
        self._round_trip_ms = round(taken_ms) if 0 <= taken_ms < LONGEST_TRIP_MS else None

    def _make_ready(self) -> None:
        """Before the first push: hello, and a whole pull where epoch or enrolment are new (bases and chain need it)."""
        if not self._greeted:
            self.greet()
        self._must_be_newest()
        if self._epochs.is_new or self._store.get("new_enrolment"):
            self.pull()

    def _must_be_newest(self) -> None:
        """Raise `device_forked` when the server has numbers of this device that it has not given: it is an older copy
        of itself, and its next mutations would carry numbers that others have."""
        (device_id, last_n), newest = self._met, self._outbox.newest()
        if device_id != self._parts.identity.device_id or last_n <= newest:
            return
        if self._store.get("state") == "enrolled":
            self._store.put("state", "forked")
            self._parts.events.note("store_older", newest=newest, last_n=last_n)
        raise Problem("device_forked", 409, "new_device", f"the server has {last_n} mutations of this device, this "
                                                          f"store has made {newest}: it is an older copy")

    def tell_health(self) -> None:
        """Say how much waits now, when the server has heard of more: it shows who has unsent work."""
        health = self._outbox.health()
        if self._told_unsent is not None and (health["unsent"], health["unsent_bytes"]) != self._told_unsent:
            self._receive((), self._send(()), Delivered())

    def _send(self, batch: Sequence[Waiting]) -> Mapping[str, Any]:
        health = orjson.dumps(self._health())
        body = b'{"mutations":[%s],"health":%s}' % (b",".join(each.wire for each in batch), health)
        headers = {"Content-Type": "application/json"}
        if signature := self._parts.identity.sign(body):
            headers["Menqian-Signature"] = signature
        if len(body) >= GZIP_FROM_BYTES:
            body, headers["Content-Encoding"] = gzip.compress(body, mtime=0), "gzip"
        answer: Mapping[str, Any]
        with self._timed():
            answer = self._client.post_bytes("/sync/push", body, headers)
        if [(each["n"], each["id"]) for each in answer["outcomes"]] != [(each.n, each.id) for each in batch]:
            raise Unreachable("the outcomes are not those of the mutations that were sent")
        return answer

    def _receive(self, batch: Sequence[Waiting], answer: Mapping[str, Any], total: Delivered) -> None:
        """Keep the receipts; a mutation leaves the outbox only by this."""
        outcomes = answer["outcomes"]
        with self._store.transaction():
            is_new = self._epochs.meet(answer["epoch"], answer["last_n"])
            self._outbox.receive(outcomes)
            if batch and not is_new:
                self._epochs.hear(batch[-1].n)
            self._rows.drop_forgotten()
        total.delivered += len(batch)
        total.conflicts += sum(len(outcome["conflicts"]) for outcome in outcomes)
        total.quarantined += sum(outcome["outcome"] == "quarantined" for outcome in outcomes)
        self._parts.witness.see(answer["checkpoint"], answer["epoch"])

    def _deliver_from(self, expect: int) -> None:
        """The server lacks what it once acknowledged: ask it why (a new epoch?), then deliver again from there."""
        self.greet()
        with self._store.transaction():
            self._outbox.deliver_again(expect - 1)
        self._make_ready()

    def _begin_again(self) -> None:
        with self._store.transaction():
            self._store.put("cursor", None)
            self._rows.begin_again()

    def _take(self, page: Mapping[str, Any], *, first: bool) -> int:
        """Apply a page and its cursor together; gives the number of changes."""
        with self._store.transaction():
            self._epochs.meet(page["epoch"], page["last_n"])
            if not first and self._store.get("cursor") is None:
                raise Unreachable("the epoch changed within a pull")
            self._rows.take(self._learned(page["changes"]))
            self._outbox.settle(page["settled"])
            for resolved in page.get("resolved", ()):
                self._parts.events.note("conflict_settled", **resolved)
            self._parts.files.want(page["media_wanted"])
            self._store.put("scopes", page["scopes"]["codes"])
            self._store.put("cursor", page["cursor"])
            if not page["more"]:
                self._finish()
        return len(page["changes"])

    def _learned(self, changes: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The same changes; on their way past, the files learn what they say of photos."""
        for change in changes:
            if change["type"] == "evidence" and change["op"] == "put":
                self._parts.files.learn(change["fields"])
            yield change

    def _finish(self) -> None:
        """A whole pull: what follows from a new epoch or enrolment, then show the new rows."""
        restored = self._epochs.is_new
        self._epochs.settle()
        if self._store.get("new_enrolment"):
            self._parts.chain.enter_anew(self._rows, restored=restored)
            self._store.put("new_enrolment", None)
        self._rows.finish()
        self._outbox.close_applied()

    def _note_state(self, problem: Problem) -> None:
        """Remember what only a person can mend; the outbox is kept whole."""
        states = {"device_revoked": "revoked", "device_forked": "forked"}
        if problem.code in states:
            self._store.put("state", states[problem.code])
