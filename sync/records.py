"""The only door by which a record changes: it writes record, history, log and journal together.

A door lives for one transaction behind the open gate. It keeps what it read and wrote, so that a push of 500 mutations
looks up, encodes and inserts once; a unit that fails is undone from memory, and nothing reaches the database before
`flush`. Nothing here commits.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, TypeVar

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from schemas.records import RecordType
from schemas.values import stamp
from sync import journal
from sync.bulk import Among, insert_rows, update_rows
from sync.equality import same
from sync.gate import Gate, close_gate
from sync.kept import NO_MARKS, RECORD, Kept, kept_from, to_row
from sync.late import is_late, take_along
from sync.merge import CREATOR, WHOLE, Past, Stamps, touched
from sync.models import Base, Departure, History, Record, table_of
from sync.rules import Context, Rules
from sync.scope import note_changes
from sync.values import unit_of
from sync.writers import SERVER, Writer

LOAD = select(RECORD).where(Among(RECORD.c.id, bindparam("ids")))
FEW = 8

T = TypeVar("T")


class Door:
    """See the module. `random_bytes` gives the salts, so that a simulation can own them."""

    def __init__(self, session: Session, gate: Gate, now: datetime, rules: Rules,
                 random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.session, self.gate, self.now, self.rules = session, gate, now, rules
        self.at = stamp(now)
        self.random_bytes = random_bytes
        self.checkpoint: str | None = None  # the newest one's note, once the transaction has ended
        self.n: int | None = None  # of the device's mutation that is being applied
        self._kept: dict[str, Kept | None] = {}
        self._stored: set[str] = set()
        self._dirty: dict[str, None] = {}
        self._history: list[dict[str, Any]] = []
        self._entries: list[journal.Entry] = []
        self._departures: list[dict[str, Any]] = []
        self._rows: list[tuple[type[Base], dict[str, Any]]] = []
        self._undo: list[tuple[str, Kept | None]] = []
        self.looked_up: dict[str, Any] = {}
        self.written = 0  # versions of records, those that were undone included: the work that was done

    # reading

    def once(self, name: str, look_up: Callable[[], T]) -> T:
        """What a rule needs to look up only once a transaction, for things that no mutation changes."""
        try:
            found: T = self.looked_up[name]
        except KeyError:
            found = self.looked_up[name] = look_up()
        return found

    def load(self, ids: Iterable[str]) -> None:
        """Read many records at once."""
        wanted = [record_id for record_id in dict.fromkeys(ids) if record_id not in self._kept]
        if not wanted:
            return
        self._kept.update(dict.fromkeys(wanted))
        for row in self.session.connection().execute(LOAD, {"ids": orjson.dumps(wanted).decode()}).mappings():
            self._kept[row["id"]] = kept_from(row)
            self._stored.add(row["id"])

    def get(self, record_id: str) -> Kept | None:
        """The record as it stands now, with all that this door changed; deleted ones too."""
        if record_id not in self._kept:
            self.load([record_id])
        return self._kept[record_id]

    def fresh(self) -> list[Kept]:
        """The records that this door wrote and has not flushed: what a database look-up cannot see yet."""
        return [kept for record_id in self._dirty if (kept := self._kept[record_id])]

    def live(self, record_type: str, **columns: Any) -> list[Kept]:
        """The live records of a type whose promoted columns have these values, oldest first, fresh ones included."""
        query = select(Record.id).where(Record.type == record_type, Record.deleted.is_(False)) \
            .order_by(Record.created_seq)
        for name, value in columns.items():
            query = query.where(getattr(Record, name) == value)
        self.load(stored := list(self.session.execute(query).scalars()))
        ids = dict.fromkeys([*stored, *(kept.id for kept in self.fresh() if kept.type == record_type)])
        found = (self._kept[record_id] for record_id in ids)
        return [kept for kept in found if kept is not None and not kept.deleted
                and all(kept.marks.get(name) == value for name, value in columns.items())]

    def rows(self, table: type[Base]) -> list[dict[str, Any]]:
        """The side rows of one table that wait for the flush."""
        return [values for model, values in self._rows if model is table]

    def history_after(self, record_id: str, version: int) -> Iterator[Past]:
        """A record's versions after the given one, oldest first, read as far as the caller wants to know."""
        fresh = [row for row in self._history if row["record_id"] == record_id and row["version"] > version]
        room = FEW if record_id in self._stored else 0
        while room:
            rows = self.session.execute(
                select(History.version, History.device_id, History.actor, History.changed, History.n)
                .where(History.record_id == record_id, History.version > version)
                .order_by(History.version).limit(room)).all()
            yield from map(_past, rows)
            version = rows[-1].version if rows else version
            room = room * 4 if len(rows) == room else 0
        yield from (_past(SimpleNamespace(**row)) for row in fresh)

    def version_of(self, record_id: str, version: int) -> Mapping[str, Any]:
        """Who wrote a version of a record, and when it arrived: `{actor, device_id, at}`."""
        for row in self._history:
            if row["record_id"] == record_id and row["version"] == version:
                return row
        return dict(self.session.execute(select(History.actor, History.device_id, History.at).where(
            History.record_id == record_id, History.version == version)).mappings().one())

    # writing

    def create(self, declared: RecordType, record_id: str, scope: str, fields: dict[str, Any], writer: Writer, *,
               op: str = "create", note: Any = None) -> Kept:
        """Write a new record, with what the server derives from it."""
        context = Context(self, writer, self.now, op, declared.name, record_id, scope)
        rule = self.rules.of(declared)
        rule.check(None, fields, context)
        fields = _stated(declared, {**fields, **rule.derive(None, fields, context)})
        seq = self.gate.next()
        marks = {**NO_MARKS, **rule.promote(declared.known(fields)), **rule.first_marks(fields)}
        kept = Kept(record_id, declared.name, 1, scope, seq, seq, False, fields, {CREATOR: writer.id}, self.at,
                    writer.user_id, self.at, writer.device_id, marks)
        self._write(None, kept, writer, op, {name: {"from": None, "to": value} for name, value in fields.items()
                                             if value is not None}, note)
        rule.follow(None, kept, context)
        return self._kept[record_id] or kept

    def change(self, before: Kept, fields: dict[str, Any], writer: Writer, *, op: str = "edit",
               changed: Mapping[str, tuple[Any, Any]] | None = None, stamps: Stamps | None = None,
               scope: str | None = None, deleted: bool | None = None, note: Any = None, checked: bool = True) -> Kept:
        """Write the next version of a record. `changed` and `stamps` come from a merge; without them they are found
        by comparing fields. A server's change (`checked=False`) skips the rules' check, never their derivation."""
        scope = before.scope if scope is None else scope
        context = Context(self, writer, self.now, op, before.type, before.id, scope)
        rule = self.rules.of(before.declared)
        if checked:
            rule.check(before, fields, context)
        derived = rule.derive(before, fields, context)
        after = _stated(before.declared, {**fields, **derived})
        changed = dict(changed) if changed is not None else _differences(before.fields, fields)
        stamps = dict(stamps) if stamps is not None else _stamped(before, changed, writer)
        changed |= {name: (before.fields.get(name), after.get(name)) for name in derived
                    if not same(changed.get(name, (None, before.fields.get(name)))[1], after.get(name))}
        kept = before._replace(version=before.version + 1, seq=self.gate.next(), fields=after, stamps=stamps,
                               updated_at=self.at, scope=scope,
                               deleted=before.deleted if deleted is None else deleted,
                               marks={**before.marks, **rule.promote(before.declared.known(after))})
        self._write(before, kept, writer, op, {name: {"from": old, "to": new} for name, (old, new) in changed.items()},
                    note)
        rule.follow(before, kept, context)
        if scope != before.scope:
            take_along(self, before, kept, writer)
        return self._kept[before.id] or kept

    def amend(self, record_id: str, values: Mapping[str, Any], *, op: str = "server") -> Kept | None:
        """The server's own change of derived fields; nothing happens when the values stand already."""
        before = self.get(record_id)
        if before is None or all(before.fields.get(name) == value for name, value in values.items()):
            return before
        return self.change(before, {**before.fields, **values}, SERVER, op=op, checked=False)

    def mark(self, record_id: str, **marks: Any) -> None:
        """Set columns that are no part of the document (`review_state`, `risk`): no new version."""
        before = self.get(record_id)
        if before is not None and {**before.marks, **marks} != before.marks:
            self._keep(before._replace(marks={**before.marks, **marks}))

    def add_row(self, table: type[Base], values: dict[str, Any]) -> None:
        """Insert a side row with the flush; it is undone with its unit."""
        self._rows.append((table, values))

    def new_id(self) -> str:
        """A fresh random UUID for a record that the server makes."""
        return str(uuid.UUID(bytes=self.random_bytes(16), version=4))

    def record_entry(self, kind: str, actor: str, about: str | None, body: Mapping[str, Any], *,
                     aside: Mapping[str, Any] | None = None, kept: bool = True) -> None:
        """Add a journal entry that is no record change (an opening, a draw, a refused access). To what is said
        `aside`, such as a person's words, the body is only committed; it is not `kept` where it stands elsewhere."""
        beside = None
        if aside is not None:
            salt = self.random_bytes(16).hex()
            body = {**body, "aside": journal.commitment(salt, dict(aside))}
            beside = salt, dict(aside) if kept else None
        self._entries.append(journal.Entry(self.at, kind, actor, about, dict(body), beside))

    def _write(self, before: Kept | None, after: Kept, writer: Writer, op: str,
               document: Mapping[str, Any], note: Any) -> None:
        """Keep the record, with its history and its journal entry; `document` maps units to `{from, to}`."""
        if is_late(writer, after.scope, before.scope if before else after.scope):
            note = {**(note or {}), "late_scope": True}
        salt = self.random_bytes(16).hex()
        self.written += 1
        self._keep(after)
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        self._history.append({"record_id": after.id, "version": after.version, "seq": after.seq, "at": self.at,
                              "actor": writer.user_id, "device_id": writer.device_id, "op": op,
                              "changed": text.decode(), "note": note, "salt": salt,
                              "n": self.n if writer.device_id else None})
        body = {"type": after.type, "version": after.version, "op": op, "scope": after.scope,
                "changed": sorted(document), "commitment": journal.commit_to(salt, text),
                **({"device_id": writer.device_id} if writer.device_id else {})}
        self.record_entry("change", writer.user_id, after.id, body, aside=note, kept=False)
        if before is not None and before.scope != after.scope:
            self._departures.append({"record_id": after.id, "from_scope": before.scope, "seq": after.seq,
                                     "type": after.type})

    def _keep(self, kept: Kept) -> None:
        self._undo.append((kept.id, self._kept.get(kept.id)))
        self._kept[kept.id] = kept
        self._dirty.setdefault(kept.id)

    # units and flush

    def savepoint(self) -> tuple[int, ...]:
        """A place to which `rollback` can return: nothing of a failed unit stays, and no number is lost."""
        return (self.gate.seq, len(self._undo), len(self._history), len(self._entries), len(self._departures),
                len(self._rows))

    def rollback(self, place: tuple[int, ...]) -> None:
        """Undo everything since the savepoint."""
        self.gate.seq = place[0]
        while len(self._undo) > place[1]:
            record_id, kept = self._undo.pop()
            self._kept[record_id] = kept
        written = {record_id for record_id, _ in self._undo}
        self._dirty = {record_id: None for record_id in self._dirty if record_id in written}
        buffers: tuple[list[Any], ...] = (self._history, self._entries, self._departures, self._rows)
        for buffer, length in zip(buffers, place[2:], strict=True):
            del buffer[length:]

    def flush(self) -> None:
        """Send everything to the database, in one statement a table, and give the gate its numbers back."""
        fresh = self.fresh()
        new = [to_row(kept) for kept in fresh if kept.id not in self._stored]
        old = [to_row(kept) for kept in fresh if kept.id in self._stored]
        insert_rows(self.session, RECORD, new)
        update_rows(self.session, RECORD, old)
        insert_rows(self.session, table_of(History), self._history)
        self._flush_departures()
        note_changes(self.session, [(row["scope"], row["seq"]) for row in (*new, *old)]
                     + [(row["from_scope"], row["seq"]) for row in self._departures])
        for table in dict.fromkeys(table for table, _ in self._rows):
            insert_rows(self.session, table_of(table), self.rows(table))
        journal.append(self.session, self.gate.frontier, self._entries)
        close_gate(self.session, self.gate)
        self._stored.update(self._dirty)
        for buffer in (self._dirty, self._history, self._entries, self._departures, self._rows, self._undo):
            buffer.clear()

    def _flush_departures(self) -> None:
        for row in {(row["record_id"], row["from_scope"]): row for row in self._departures}.values():
            self.session.merge(Departure(**row))
        if self._departures:
            self.session.flush()


def _past(row: Any) -> Past:
    return Past(row.device_id or row.actor, orjson.loads(row.changed), row.version, row.n)


def _stated(declared: RecordType, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: what is null is not there, but for those that say so."""
    return {name: value for name, value in fields.items() if value is not None or name in declared.nullable}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)}


def _stamped(before: Kept, changed: Mapping[str, Any], writer: Writer) -> Stamps:
    stamps = dict(before.stamps)
    for name in changed:
        touched(stamps, unit_of(before.declared, name), before.version + 1, writer.id,
                present=before.fields.get(name) is not None)
    touched(stamps, WHOLE, before.version + 1, writer.id, present=True)
    return stamps
