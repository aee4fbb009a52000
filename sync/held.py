"""Mutations that wait for a record which they refer to: applied when it arrives, quarantined after five days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, exists, select

from schemas.problems import Problem
from schemas.push import load_mutation
from schemas.values import stamp
from sync import quarantine
from sync.awaited import creations, held_creations
from sync.models import Held, Record, table_of
from sync.mutations import MOST_WRITTEN, apply
from sync.outcomes import Waits
from sync.receipts import settle, settle_applied
from sync.records import Door
from sync.units import UnitFails, apply_unit
from sync.writers import Writer

AT_ONCE = 1_000
ANY = select(table_of(Held).c.n).limit(1)


def hold(door: Door, writer: Writer, unit: Sequence[Mapping[str, Any]], waits_for: str, *, until: str) -> None:
    """Keep a unit until the record arrives, with the writer as he was when he sent it."""
    door.add_row(Held, {"device_id": writer.id, "n": unit[0]["n"], "waits_for": waits_for,
                        "record_id": unit[0]["record_id"], "until": until, "writer": writer.to_json(),
                        "mutations": [dict(raw) for raw in unit]})
    held_creations(door, writer).update(creations(unit))


def settle_arrived(door: Door, since_seq: int = 0) -> None:
    """Apply what waited for records that arrived after `since_seq`, and what waited for those in turn; when that is too
    much for one transaction, the rest is left for the worker's next round."""
    if door.session.connection().execute(ANY).first() is None:
        return
    arrived = select(Held).where(exists().where(Record.id == Held.waits_for, Record.seq > since_seq)) \
        .order_by(Held.device_id, Held.n).limit(AT_ONCE)
    tried: set[tuple[str, int, str]] = set()
    while waiting := [row for row in door.session.execute(arrived).scalars()
                      if (row.device_id, row.n, row.waits_for) not in tried]:  # nobody tries the same for ever
        for row in waiting:
            if door.written >= MOST_WRITTEN // 2:
                return
            tried.add((row.device_id, row.n, row.waits_for))
            _try_again(door, row)
        door.flush()


def _try_again(door: Door, row: Held) -> None:
    writer = Writer.from_json(row.writer)
    place = door.savepoint()
    try:
        outcomes = apply_unit(door, row.mutations, lambda raw: apply(door, writer, load_mutation(raw),
                                                                             waited=True))
    except Waits as waits:
        door.rollback(place)
        row.waits_for = waits.record_id
        door.session.flush()
        return
    except UnitFails as failed:
        door.rollback(place)
        _quarantine(door, writer, row, failed.n, failed.problem)
    else:
        for n, outcome in sorted(outcomes.items()):
            settle_applied(door, row.device_id, n, outcome)
    _drop(door, row)


def expire(door: Door) -> int:
    """Quarantine what waited longer than five days; gives how many units that were."""
    overdue = door.session.execute(select(Held).where(Held.until < stamp(door.now))).scalars().all()
    for row in overdue:
        problem = Problem("record_missing", f"record {row.waits_for} never arrived")
        _quarantine(door, Writer.from_json(row.writer), row, row.mutations[0]["n"], problem)
        _drop(door, row)
    return len(overdue)


def _quarantine(door: Door, writer: Writer, row: Held, failed: int, problem: Problem) -> None:
    for n, outcome in quarantine.keep(door, writer, row.mutations, failed, problem).items():
        settle(door, row.device_id, n, "quarantined", problem=outcome["problem"])


def _drop(door: Door, row: Held) -> None:
    door.session.execute(delete(Held).where(Held.device_id == row.device_id, Held.n == row.n))
    door.session.expunge(row)
