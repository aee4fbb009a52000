"""A script of edits carried out by the real engine, beside what the protocol expects of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.records import RECORD_TYPES
from sync.models import Clock, History, JournalEntry, Receipt, Record
from tests.properties.edits import WRITERS
from tests.properties.expected import THING, Expected, spelt
from tests.sync.desk import SCOPE, Desk

MADE_AT = "2026-11-22T00:00:00.000Z"
Clocks = Callable[[str, int], str]


class Acting:
    """Several devices on one record of type `thing`; every answer is held against what is expected."""

    def __init__(self, desk: Desk, clock: Clocks = lambda writer, number: MADE_AT) -> None:
        self.desk, self.clock = desk, clock
        self.devices = {name: desk.device() for name in WRITERS}
        self.expected = Expected()
        self.base = dict.fromkeys(WRITERS, 1)
        self.sent: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {name: [] for name in WRITERS}
        self.record_id = desk.uuid()
        self.expected.create("anna", first := {"text": "a", "scheme": "s", "tags": ["k"], "answers": {"k": "a"}})
        self.send("anna", {"type": "thing", "record_id": self.record_id, "op": "put", "base": 0, "scope": SCOPE,
                           "set": first})

    def send(self, writer: str, mutation: Mapping[str, Any]) -> dict[str, Any]:
        numbered = self.desk.numbered(self.devices[writer], {
            **mutation, "made_at": self.clock(writer, len(self.sent[writer]))})
        [outcome] = self.desk.push_raw(self.devices[writer], [numbered])
        self.sent[writer].append((numbered, outcome))
        return outcome

    def carry_out(self, script: Sequence[tuple[Any, ...]]) -> None:
        for what, writer, *rest in script:
            if what == "pull":
                self.base[writer] = self.expected.version
            elif what == "edit":
                self.edit(writer, *rest)
            else:
                self.replay(writer, *rest)

    def edit(self, writer: str, put: dict[str, Any], add: dict[str, Any], remove: dict[str, Any]) -> None:
        base, expected = self.base[writer], self.expected
        effect = expected.effect(writer, base, put, add, remove)
        outcome = self.send(writer, {"type": "thing", "record_id": self.record_id, "op": "put", "base": base,
                                     "set": put, "add": add, "remove": remove})
        others = any(version > base and who != writer for version, who in expected.writers)
        wanted = "quarantined" if effect.refused else "conflicted" if effect.overlaps else \
            "merged" if others else "applied"
        assert outcome["outcome"] == wanted, outcome
        if effect.refused:
            assert outcome["problem"]["code"] == "immutable_field"
            return
        for unit, _, theirs, mine in effect.overlaps:
            expected.open_conflict(unit, theirs, mine, writer)
        expected.take(effect, writer)
        assert outcome["version"] == expected.version

    def replay(self, writer: str, start: int, count: int) -> None:
        """Send some again that were sent: the same answers, byte for byte but for `replayed`, and nothing changes."""
        again = self.sent[writer][start:start + count]
        if not again:
            return
        before = self.number()
        outcomes = self.desk.push_raw(self.devices[writer], [mutation for mutation, _ in again])
        assert orjson.dumps(outcomes) == orjson.dumps([{**outcome, "replayed": True} for _, outcome in again])
        assert self.number() == before

    def number(self) -> tuple[int, int]:
        with Session(self.desk.engine) as session:
            return tuple(session.execute(select(Clock.seq, Clock.journal_size)).one())

    def check(self) -> None:
        """Row, conflicts and history against what is expected."""
        kept = self.desk.record(self.record_id)
        shown = {**kept.fields}
        if "tags" in shown:
            shown["tags"] = sorted(shown["tags"])
        if "points" in shown:
            shown["points"] = {point["id"]: point for point in shown["points"]}
        assert kept.version == self.expected.version
        assert spelt({name: value for name, value in shown.items() if value not in ([], {})}) \
            == spelt(self.expected.fields())
        names = {device.id: name for name, device in self.devices.items()}
        found = [spelt([one["field"], one.get("theirs"), one.get("mine"), names[one["mine_by"]["writer"]]])
                 for one in self.desk.conflicts(self.record_id)]
        assert sorted(found) == sorted(spelt([one[name] for name in ("unit", "theirs", "mine", "writer")])
                                       for one in self.expected.conflicts)
        self._check_history()

    def _check_history(self) -> None:
        """Every value that a unit ever had stands in the history; versions are dense."""
        with Session(self.desk.engine) as session:
            rows = session.execute(select(History.version, History.changed).where(
                History.record_id == self.record_id).order_by(History.version)).all()
        assert [version for version, _ in rows] == list(range(1, self.expected.version + 1))
        held = {version: orjson.loads(changed) for version, changed in rows}
        for unit, values in self.expected.units.items():
            for given in values if len(values) > 1 else ():
                if given.version > 1 and not unit.startswith(("tags.", "points.")):
                    assert spelt(held[given.version][unit]["to"]) == spelt(given.value)
                elif given.version > 1:
                    assert unit.partition(".")[0] in held[given.version]

    def dump(self) -> list[Any]:
        """All that the server has, less what devices said of their clocks and what is made from that."""
        with Session(self.desk.engine) as session:
            records = session.execute(select(Record.id, Record.version, Record.seq, Record.fields, Record.stamps)
                                      .order_by(Record.id)).all()
            history = session.execute(select(History.record_id, History.version, History.seq, History.changed)
                                      .order_by(History.seq)).all()
            receipts = session.execute(select(Receipt.device_id, Receipt.n, Receipt.outcome)
                                       .order_by(Receipt.device_id, Receipt.n)).all()
            size = session.execute(select(JournalEntry.index)).all()
        return [without_clocks(list(row)) for row in (*records, *history, *receipts)] + [len(size)]


def without_clocks(value: Any) -> Any:
    """The value with every `made_at` removed, also inside JSON that stands as text."""
    if isinstance(value, str) and value[:1] in "{[" and value:
        return without_clocks(orjson.loads(value))
    if isinstance(value, list):
        return [without_clocks(part) for part in value]
    if isinstance(value, dict):
        return {name: without_clocks(part) for name, part in value.items() if name != "made_at"}
    return value


def know_things(patch: Any) -> None:
    """Let the engine know records of type `thing`."""
    patch.setitem(RECORD_TYPES, "thing", THING)
