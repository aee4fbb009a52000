"""Which records are on their way: their creation is held or quarantined. Serves mutations, and who holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Text, bindparam, cast, or_, select

from schemas.push import Mutation
from sync.models import Held, Quarantined, table_of
from sync.records import Door
from sync.writers import Writer

HELD_OF = select(table_of(Held).c.mutations).where(table_of(Held).c.device_id == bindparam("device_id"))


def awaited(door: Door, writer: Writer, mutation: Mutation) -> bool:
    """True when the record's creation is held, by itself or in a group, or quarantined: later edits of it wait rather
    than fail. One that could make the record itself, for it names a scope, waits only behind its own device's."""
    record_id = mutation.record_id
    by_itself = record_id in held_creations(door, writer)
    if mutation.scope or by_itself:
        return by_itself
    held = select(Held.n).where(or_(Held.record_id == record_id,
                                    cast(Held.mutations, Text).contains(f'"record_id":"{record_id}"')))
    quarantined = select(Quarantined.n).where(Quarantined.record_id == record_id, Quarantined.state == "open")
    waiting = [*door.rows(Held), *door.rows(Quarantined)]
    return any(row.get("record_id") == record_id for row in waiting) \
        or any(door.session.execute(query.limit(1)).first() is not None for query in (held, quarantined))


def held_creations(door: Door, writer: Writer) -> set[str]:
    """The records that this device's held mutations would make; who holds more adds them."""
    def stored() -> set[str]:
        rows = door.session.connection().execute(HELD_OF, {"device_id": writer.id}).scalars()
        return {record_id for unit in rows for record_id in creations(unit)}

    return door.once("held creations", stored)


def creations(unit: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The records that mutations would make by themselves: puts that name a scope, on no version."""
    return (one["record_id"] for one in unit if one["op"] == "put" and not one.get("base") and one.get("scope"))
