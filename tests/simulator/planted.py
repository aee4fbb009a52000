"""Bugs planted into the engine, each in one place, to see that the simulator would find them.

Each is a context manager that patches one name and puts it back. `PLANTED` names them, with what each does wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from flask import after_this_request
from sqlalchemy import false, insert, select
from sqlalchemy.orm import Session

import sync.mutations
import sync.push
import sync.records
import sync.walks
from server.db import db, writing
from server.house import house
from sync.cursors import Cursor, read_cursor
from sync.gate import Gate, open_gate
from sync.merge import Edit
from sync.models import Clock, Receipt, table_of
from sync.records import Door


@dataclass(frozen=True)
class Bug:
    """A planted bug and the sentence that says what it does."""

    says: str
    plant: Callable[[], AbstractContextManager[Any]]


PLANTED: dict[str, Bug] = {}


def bug(says: str) -> Callable[[Callable[[], Iterator[Any]]], Callable[[], Iterator[Any]]]:
    def register(plant: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
        PLANTED[plant.__name__] = Bug(says, contextmanager(plant))
        return plant
    return register


# those that every engine of this kind has had


@bug("no gate: a writer takes numbers, another one gets lower ones and commits later")
def no_gate() -> Iterator[None]:
    holes: list[int] = []
    stood: dict[int, tuple[int, int]] = {}
    close = sync.records.close_gate

    def overtaken(session: Session) -> Gate:
        gate = open_gate(session)
        begin = holes.pop() if holes else gate.seq + 100
        stood[id(gate)] = (gate.seq, begin)
        gate.seq = begin
        return gate

    def closing(session: Session, gate: Gate) -> None:
        newest, begin = stood.get(id(gate), (gate.seq, -1))
        if gate.seq == begin:
            gate.seq = newest
        elif begin > newest:
            holes.append(newest)
        gate.seq, given = max(gate.seq, newest), gate.seq
        close(session, gate)
        gate.seq = given

    with patch("server.db.open_gate", overtaken), patch("sync.records.close_gate", closing):
        yield


@bug("no gate at all, where many write at once (PostgreSQL)")
def no_lock() -> Iterator[None]:
    unlocked = select(Clock.seq, Clock.epoch, Clock.journal_peaks, Clock.journal_size).where(Clock.id == 1)
    with patch("sync.gate.LOCK", unlocked):
        yield


@bug("the receipt is written in a second transaction")
def receipt_apart() -> Iterator[None]:
    @contextmanager
    def apart(checkpoint: bool = False) -> Iterator[Door]:
        kept: list[dict[str, Any]] = []
        add_row = Door.add_row

        def set_aside(door: Door, table: Any, values: dict[str, Any]) -> None:
            kept.append(values) if table is Receipt else add_row(door, table, values)

        with patch.object(Door, "add_row", set_aside), writing(checkpoint) as door:
            yield door
        if kept:
            db.session.execute(insert(table_of(Receipt)), kept)
            db.session.commit()

    with patch("server.api.push.writing", apart):
        yield


@bug("the cursor is a bare number: no epoch, no scopes")
def sequence_only_cursor() -> Iterator[None]:
    def read(text: str, secret: bytes, reader: str, epoch: str, seq: int, floor: int) -> Cursor:
        cursor = read_cursor(text, secret, reader, epoch, 2**60, 0)
        return replace(cursor, pending=[])

    with patch("sync.pull.read_cursor", read), patch.object(
            Cursor, "turn_to", lambda cursor, codes: setattr(cursor, "codes", tuple(sorted(codes)))):
        yield


@bug("a record that left the scope is not forgotten")
def forgotten_forget() -> Iterator[None]:
    with patch("sync.walks.ANY_LEFT", sync.walks.ANY_LEFT.where(false())):
        yield


@bug("the answer is sent before the commit")
def ack_before_commit() -> Iterator[None]:
    @contextmanager
    def late(checkpoint: bool = False) -> Iterator[Door]:
        db.session.rollback()
        session = Session(db.engine, expire_on_commit=False)
        door = Door(session, open_gate(session), house().clock(), house().rules, house().random_bytes)
        try:
            yield door
            door.flush()
        except BaseException:
            session.close()
            raise

        @after_this_request
        def commit_later(response: Any) -> Any:
            response.call_on_close(lambda: _end(session))
            return response

    with patch("server.api.push.writing", late):
        yield


def _end(session: Session) -> None:
    try:
        session.commit()
    finally:
        session.close()


# others


@bug("a mutation that came before under another number is applied again")
def replay_applied_again() -> Iterator[None]:
    with patch("sync.push._seen_before", lambda *_: None):
        yield


@bug("the device's last number is not moved")
def last_n_not_moved() -> Iterator[None]:
    push = sync.push.push

    def forgetful(door: Door, writer: Any, mutations: Any, *more: Any, **named: Any) -> Any:
        outcomes = push(door, writer, mutations, *more, **named)
        door.session.connection().exec_driver_sql(
            "UPDATE device SET last_n = 0 WHERE id = '" + writer.id + "' AND last_n < 4")
        return outcomes

    with patch("server.api.push.push_mutations", forgetful):
        yield


@bug("a group is applied one by one")
def group_by_halves() -> Iterator[None]:
    with patch("sync.push._units", lambda runs: ([raw] for _, members in runs for raw in members)):
        yield


@bug("a conflict forgets the value that lost")
def conflict_forgets_the_loser() -> Iterator[None]:
    opened = sync.mutations.open_conflict

    def empty(door: Door, kept: Any, overlap: Any, *more: Any) -> str:
        return opened(door, kept, replace(overlap, theirs=overlap.mine if overlap.kind == "value" else overlap.theirs),
                      *more)

    with patch("sync.mutations.open_conflict", empty):
        yield


@bug("an overlap opens no conflict")
def overlap_unnoticed() -> Iterator[None]:
    with patch("sync.merge.changed_by_others", lambda *_, **__: False):
        yield


@bug("a late edit brings a deleted record back")
def deletion_undone() -> Iterator[None]:
    late = sync.mutations._edit_deleted

    def undone(door: Door, writer: Any, kept: Any, mutation: Any, edit: Edit) -> Any:
        outcome = late(door, writer, kept, mutation, edit)
        door.change(door.get(kept.id) or kept, kept.fields, writer, deleted=False, checked=False)
        return outcome

    with patch("sync.mutations._edit_deleted", undone):
        yield


@bug("what was held is never looked at again")
def held_for_ever() -> Iterator[None]:
    with patch("sync.held.settle_arrived", lambda *_: None):
        yield


@bug("the value with the later clock wins")
def later_clock_wins() -> Iterator[None]:
    edit = sync.mutations._edit

    def by_clock(door: Door, writer: Any, kept: Any, mutation: Any) -> Any:
        if mutation.made_at and mutation.made_at < kept.updated_at[:4]:
            mutation = mutation._replace(set={})
        return edit(door, writer, kept, mutation)

    with patch("sync.mutations._edit", by_clock):
        yield


@bug("a pull shows every scope")
def every_scope_shown() -> Iterator[None]:
    with patch("sync.scope.covers", lambda codes, scope: True):
        yield


@bug("one bad mutation refuses the whole push")
def poison_blocks() -> Iterator[None]:
    def refusing(door: Door, writer: Any, unit: Any, failed: int, problem: Any) -> Any:
        raise problem

    with patch("sync.quarantine.keep", refusing):
        yield


@bug("a device with the same number and other content is not noticed")
def fork_unnoticed() -> Iterator[None]:
    with patch("sync.push._check_numbers", lambda *_: None):
        yield


@bug("half of a bound value is merged by itself")
def bound_value_in_halves() -> Iterator[None]:
    with patch("sync.merge.unit_of", lambda record_type, name: name):
        yield
