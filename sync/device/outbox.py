"""The outbox: every mutation made on this device, numbered at once, kept through delivery and after.

Serves `device`, which makes mutations, and `exchange`, which delivers them and brings their outcomes. States:
`waiting` (not acknowledged) -> `applied` (the row is still to come) | `held` | `quarantined` -> `done`. A body is never
removed: a server that was restored from a backup gets again what it lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from schemas.values import stamp
from sync.device.store import Store
from sync.device.view import Made

Clock = Callable[[], datetime]
RandomBytes = Callable[[int], bytes]

LIMITS = {"mutations_per_push": 500, "push_bytes": 8_388_608, "mutation_bytes": 65_536, "changes_per_pull": 1000,
          "upload_bytes": 67_108_864}
"""Of protocol section 1, until the server has said its own."""
ENVELOPE_BYTES = 1024
NUMBER_BYTES = 24
TAKEN = frozenset({"applied", "merged", "conflicted"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """An undelivered mutation: its number, id and group, and its body without the number."""

    n: int
    id: str
    group: str | None
    body: bytes

    @property
    def wire(self) -> bytes:
        """The mutation as it is sent, the same bytes each time."""
        return b'{"n":%d,' % self.n + self.body[1:]


class Outbox:
    """Makes, keeps and settles mutations. `clock` gives aware times, `random` that many random bytes."""

    def __init__(self, store: Store, clock: Clock, random: RandomBytes) -> None:
        self._store, self._clock, self._random = store, clock, random
        self._group: str | None = None

    def new_id(self) -> str:
        """A UUID of version 7 (RFC 9562 section 5.7)."""
        return uuid7(self._clock(), self._random)

    def make(self, op: str, type: str, record_id: str, base: int, **members: Any) -> str:
        """Write one mutation and give its id; members that are None are left out. Raises ValueError when too large."""
        mutation_id, made_at = self.new_id(), stamp(self._clock())
        body = {"id": mutation_id, "type": type, "record_id": record_id, "op": op, "base": base,
                **{name: value for name, value in members.items() if value is not None},
                **({"group": self._group} if self._group else {}), "made_at": made_at}
        content = orjson.dumps(body)
        if len(content) + NUMBER_BYTES > self.limit("push_bytes") - ENVELOPE_BYTES:
            raise ValueError(f"a mutation of {len(content)} bytes would fit into no push")
        device_id = self._store.get("device_id")
        with self._store.transaction():
            n = self._store.one("SELECT coalesce(max(n), 0) + 1 FROM mutation WHERE device_id = ?", (device_id,))
            self._store.run(
                "INSERT INTO mutation (device_id, n, id, type, record_id, unit, body, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (device_id, n, mutation_id, type, record_id, self._group, content, made_at))
        return mutation_id

    @contextmanager
    def group(self) -> Iterator[str]:
        """Mutations made within are all-or-nothing, here and on the server. Raises ValueError if no push holds them."""
        if self._group:
            raise RuntimeError("groups do not nest")
        self._group = self.new_id()
        try:
            with self._store.transaction():
                yield self._group
                count, size = self._store.run("SELECT count(*), coalesce(sum(length(body) + ?), 0) FROM mutation"
                                              " WHERE unit = ?", (NUMBER_BYTES, self._group)).fetchone()
                if count > self.limit("mutations_per_push") or size > self.limit("push_bytes") - ENVELOPE_BYTES:
                    raise ValueError(f"a group of {count} mutations and {size} bytes would fit into no push")
        finally:
            self._group = None

    def limit(self, name: str) -> int:
        """A limit as the server last told it."""
        return int(self._store.get("limits", LIMITS).get(name, LIMITS[name]))

    def batch(self, count: int, size: int, *, after: int = 0) -> list[Waiting]:
        """The next mutations for one push above the number `after`, consecutive and with groups whole.

        At most `count` and `size` bytes, but at least one mutation or group.
        """
        batch: list[Waiting] = []
        room = size
        for _, members in groupby(self._waiting(after), key=lambda each: each.group or each.n):
            unit = list(members)
            room -= sum(len(each.wire) + 1 for each in unit)
            if batch and (len(batch) + len(unit) > count or room < 0 or unit[0].n != batch[-1].n + 1):
                break
            batch += unit
        return batch

    def receive(self, outcomes: Sequence[Mapping[str, Any]]) -> None:
        """Keep the outcomes of a push, replays included; the caller holds the transaction."""
        device_id = self._store.get("device_id")
        for outcome in outcomes:
            latest = outcome.get("settled") or outcome
            self._store.run(
                "UPDATE mutation SET state = ?, version = ?, outcome = ?, settled = ? WHERE device_id = ? AND n = ?",
                (state_of(latest["outcome"]), latest.get("version"), orjson.dumps(outcome),
                 orjson.dumps(outcome["settled"]) if outcome.get("settled") else None, device_id, outcome["n"]))

    def settle(self, news: Sequence[Mapping[str, Any]]) -> None:
        """Keep what became of held and quarantined mutations, as a pull tells it. One whose receipt was lost goes on
        waiting, for a push has no gaps; its replay tells the same."""
        for each in news:
            self._store.run("UPDATE mutation SET state = ?, version = ?, settled = ?"
                            " WHERE id = ? AND state <> 'waiting'",
                            (state_of(each["outcome"]), each.get("version"), orjson.dumps(each), each["id"]))

    def close_applied(self) -> None:
        """A pull that began after their receipts has ended: what was applied stands in the rows now."""
        self._store.run("UPDATE mutation SET state = 'done' WHERE state = 'applied'")

    def deliver_again(self, last_n: int) -> int:
        """Let what the server does not have (all above `last_n`) wait for delivery again; how many had a receipt."""
        return self._store.run("UPDATE mutation SET state = 'waiting', version = NULL, outcome = NULL, settled = NULL"
                               " WHERE device_id = ? AND n > ? AND state <> 'waiting'",
                               (self._store.get("device_id"), last_n)).rowcount

    def newest_answered(self, last_n: int) -> int:
        """The largest number, `last_n` at most, of which this device has a receipt; 0 for none."""
        return int(self._store.one("SELECT coalesce(max(n), 0) FROM mutation WHERE device_id = ? AND n <= ?"
                                   " AND state <> 'waiting'", (self._store.get("device_id"), last_n)))

    def unsettle(self, last_n: int) -> None:
        """Go back to the first outcome of what was settled later: a restored server has `last_n`, but may not know
        the settlement; what it knows comes with the whole pull."""
        self._store.run("UPDATE mutation SET state = json_extract(CAST(outcome AS TEXT), '$.outcome'), version = NULL,"
                        " settled = NULL WHERE device_id = ? AND n <= ? AND settled IS NOT NULL"
                        " AND json_extract(CAST(outcome AS TEXT), '$.outcome') IN ('held', 'quarantined')",
                        (self._store.get("device_id"), last_n))

    def newest(self) -> int:
        """The largest number that this device has given, 0 before the first."""
        return int(self._store.one("SELECT coalesce(max(n), 0) FROM mutation WHERE device_id = ?",
                                   (self._store.get("device_id"),)))

    def number_anew(self, device_id: str, *, everything: bool = False) -> None:
        """Count from 1 for a newly enrolled device: what is not settled, or everything, for a restored server.

        Ids stay: the server knows replays by them.
        """
        if everything:
            self._store.run("UPDATE mutation SET state = 'waiting', version = NULL, outcome = NULL, settled = NULL")
        unsettled = self._store.run("SELECT made FROM mutation WHERE state IN ('waiting', 'held', 'quarantined')"
                                    " ORDER BY made").fetchall()
        for n, (made,) in enumerate(unsettled, 1):
            self._store.run("UPDATE mutation SET device_id = ?, n = ?, state = 'waiting' WHERE made = ?",
                            (device_id, n, made))

    def rewrite(self, n: int, body: Mapping[str, Any]) -> None:
        """Give an undelivered mutation another body; only for what the server certainly has not got."""
        self._store.run("UPDATE mutation SET body = ? WHERE device_id = ? AND n = ? AND state = 'waiting'",
                        (orjson.dumps(body), self._store.get("device_id"), n))

    def made(self, type: str | None = None, record_id: str | None = None, *, state: str | None = None) -> list[Made]:
        """The mutations that are not done, of a type, a record or a state, in the order of making."""
        asked = {"type": type, "record_id": record_id, "state": state}
        terms = [f"{name} = :{name}" for name, value in asked.items() if value is not None]
        found = self._store.run(f"SELECT n, body, state, version, outcome, settled FROM mutation"
                                f" WHERE {' AND '.join([*terms, 'state <> :done'])} ORDER BY made",
                                {**asked, "done": "done"})
        return [_made(row) for row in found]

    def health(self) -> dict[str, Any]:
        """How many mutations and photos wait, since when, and how many bytes they are (`health` of a push)."""
        count, oldest, size = self._store.run(
            "SELECT count(*), min(made_at), coalesce(sum(length(body)), 0) FROM mutation WHERE state = 'waiting'"
        ).fetchone()
        photos, eldest, rest = self._store.run(
            "SELECT count(*), min(added_at), coalesce(sum(bytes - offset), 0) FROM file WHERE state = 'waiting'"
        ).fetchone()
        return {"unsent": count, "oldest_unsent_at": min(filter(None, (oldest, eldest)), default=None),
                "unsent_bytes": size + rest, "unsent_photos": photos, "device_time": stamp(self._clock())}

    def _waiting(self, after: int) -> Iterator[Waiting]:
        for row in self._store.run("SELECT n, id, unit, body FROM mutation WHERE device_id = ? AND state = 'waiting'"
                                   " AND n > ? ORDER BY n", (self._store.get("device_id"), after)):
            yield Waiting(*row)


def uuid7(at: datetime, random: RandomBytes) -> str:
    """A UUID of version 7: 48 bits of Unix milliseconds, the rest random but for version and variant."""
    raw = bytearray(int(at.timestamp() * 1000).to_bytes(6) + random(10))
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return str(UUID(bytes=bytes(raw)))


def state_of(outcome: str) -> str:
    """The state of a mutation after an outcome; `dismissed` and what this client does not know are done."""
    if outcome in TAKEN:
        return "applied"
    return outcome if outcome in ("held", "quarantined") else "done"


def _made(row: Any) -> Made:
    latest = row["settled"] or row["outcome"]
    return Made(row["n"], orjson.loads(row["body"]), row["state"], row["version"],
                orjson.loads(latest) if latest else None)
