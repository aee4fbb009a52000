"""Legal holds by order (保全令): who holds what, on whose order, and what is held by it.

A hold covers the whole file of its record (`files`): the case and the inspection in which it was made, or an
inspection with all cases made in it. What was of it when the hold was placed stays covered, whatever is edited later;
what comes to it later is covered, too. Its photos are held in the store, and nothing of it is disposed of or erased.
What is said of an order stands here; the journal is committed to it. Serves the API, the pages, `server/holds.py`,
disposals and erasures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.values import is_uuid, parse_time, stamp
from server.keeping.files import below, file_of, ways
from server.keeping.models import LegalHold
from sync.audit import Audit, batches, holds, journalled, parsed, stream
from sync.bulk import Among
from sync.kept import Kept
from sync.models import JournalEntry, Record
from sync.records import Door
from sync.writers import SERVER, Writer

PLACED, RELEASED = "legal_hold", "legal_hold_released"
SAID = ("reason", "ordered_by", "document_no")
STANDING = LegalHold.released_at.is_(None)


def place(door: Door, writer: Writer, kept: Kept, given: Mapping[str, Any]) -> LegalHold:
    """Hold a record; `given`: reason, ordered_by, document_no?, until?. Raises `invalid_request` for a past `until`."""
    until = stamp(parse_time(given["until"])) if given.get("until") else None
    if until is not None and until <= door.at:
        raise Problem("invalid_request", "截止须在以后 until must lie ahead", errors={"until": ["已过 it is over"]})
    hold = LegalHold(id=door.new_id(), record_type=kept.type, record_id=kept.id, covers=file_of(door.session, kept.id),
                     until=until, placed_by=writer.user_id, placed_at=door.at, seq=door.gate.next(),
                     **{name: given.get(name) for name in SAID})
    door.session.add(hold)
    door.record_entry(PLACED, writer.user_id, hold.id, {**_told(hold), "seq": hold.seq}, aside=_said(hold),
                      kept=False)
    return hold


def release(door: Door, writer: Writer, hold: LegalHold, reason: str) -> LegalHold:
    """Let it go. Raises `state_moved` for one that was released."""
    if hold.released_at is not None:
        raise Problem("state_moved", "该保全已解除 the hold was released already")
    hold.released_by, hold.released_at, hold.release_reason = writer.user_id, door.at, reason
    hold.seq = door.gate.next()
    door.record_entry(RELEASED, writer.user_id, hold.id, {"record_id": hold.record_id, "seq": hold.seq},
                      aside={"reason": reason}, kept=False)
    return hold


def end_due(door: Door) -> int:
    """Release those whose time is over; gives their number."""
    ended = door.session.execute(select(LegalHold).where(STANDING, LegalHold.until <= door.at)).scalars().all()
    for hold in ended:
        release(door, SERVER, hold, "期满 its time is over")
    return len(ended)


def found_hold(session: Session, hold_id: str) -> tuple[LegalHold, str]:
    """The hold, and the scope in which its record lies now; raises `not_found`."""
    row = session.execute(select(LegalHold, Record.scope).join(Record, Record.id == LegalHold.record_id).where(
        LegalHold.id == hold_id)).one_or_none() if is_uuid(hold_id) else None
    if row is None:
        raise Problem("not_found", "没有此保全 no such hold")
    return row[0], row[1]


def holds_on(session: Session, condition: ColumnElement[bool], *, standing: bool = True) -> list[LegalHold]:
    """Holds on records for which the condition holds, oldest first; also those that were released, or not."""
    query = select(LegalHold).join(Record, Record.id == LegalHold.record_id).where(condition)
    return list(session.execute((query.where(STANDING) if standing else query).order_by(
        LegalHold.placed_at, LegalHold.id)).scalars())


def held(session: Session, ids: Iterable[str], until_seq: int | None = None) -> set[str]:
    """Those of these records that a standing hold covers, of those up to the number: what was of the file when it was
    placed, with what belongs to that now, and what is of the file now."""
    wanted, query = set(ids), select(LegalHold.record_id, LegalHold.covers).where(STANDING)
    standing = session.execute(query if until_seq is None else query.where(LegalHold.seq <= until_seq)).all()
    if not standing or not wanted:
        return set()
    found = ways(session, wanted | {hold.record_id for hold in standing}, until_seq)
    over = [found[hold.record_id] for hold in standing]
    roots = {way.root for way in over}
    covers = {one for hold in standing for one in hold.covers}.union(
        *(way.ids for way in over), (way.inspection for way in over if way.inspection))
    return {one for one in wanted if found[one].inspection in roots or not covers.isdisjoint(found[one].ids)}


def must_not_be_held(session: Session, record_id: str) -> None:
    """Raise `held_by_order` for a record that a standing hold covers."""
    if held(session, [record_id]):
        raise Problem("held_by_order", "该记录已被保全 the record is under a legal hold")


def covered(session: Session, after: int, until: int) -> set[str]:
    """The files of the holds that changed after one number, up to another, as they were and as they are."""
    changed = session.execute(select(LegalHold.record_id, LegalHold.covers).where(
        LegalHold.seq > after, LegalHold.seq <= until)).all()
    roots = {way.root for way in ways(session, [hold.record_id for hold in changed]).values()}
    return below(session, roots.union(*(hold.covers for hold in changed)))


def check_orders(audit: Audit, session: Session) -> None:
    """Every hold is what the journal says of it, and none of which it tells is gone."""
    for batch in batches(stream(session, select(LegalHold).order_by(LegalHold.id))):
        told: dict[str | None, dict[str, Any]] = {}
        for row in session.execute(journalled().where(Among(JournalEntry.about, [row[0].id for row in batch]),
                                                      JournalEntry.kind.in_((PLACED, RELEASED)))):
            told.setdefault(row.about, {})[row.kind] = row
        for (hold,) in batch:
            audit.checked["legal_holds"] += 1
            entries = told.get(hold.id, {})
            if PLACED not in entries:
                audit.wrong("legal_hold_unknown", hold.id, "the journal tells nothing of this hold")
            elif not _is_as_told(hold, entries):
                audit.wrong("legal_hold_altered", hold.id, "the hold is not what the journal says")
    known = select(LegalHold.id).where(LegalHold.id == JournalEntry.about).exists()
    for (about,) in stream(session, select(JournalEntry.about).where(JournalEntry.kind == PLACED, ~known)):
        audit.wrong("legal_hold_missing", about, "the hold of which the journal tells is gone")


def _is_as_told(hold: LegalHold, entries: Mapping[str, Any]) -> bool:
    placed, released = entries[PLACED], entries.get(RELEASED)
    body = parsed(placed.body) or {}
    seq = (parsed(released.body) or {} if released else body).get("seq", hold.seq)  # older releases did not tell it
    same = (placed.actor, placed.at) == (hold.placed_by, hold.placed_at) and holds(placed, _said(hold)) \
        and {**body, **_told(hold)} == body and hold.seq == seq
    if released is None or hold.released_at is None:
        return same and released is None and (hold.released_by, hold.released_at, hold.release_reason) == (None,) * 3
    return same and (released.actor, released.at) == (hold.released_by, hold.released_at) \
        and holds(released, {"reason": hold.release_reason})


def _said(hold: LegalHold) -> dict[str, Any]:
    return {name: getattr(hold, name) for name in SAID}


def _told(hold: LegalHold) -> dict[str, Any]:
    return {"record_type": hold.record_type, "record_id": hold.record_id, "covers": hold.covers, "until": hold.until}


def shown(hold: LegalHold) -> dict[str, Any]:
    """A hold as the wire has it."""
    return {"id": hold.id, **_told(hold), **_said(hold), "placed_by": hold.placed_by, "placed_at": hold.placed_at,
            "released_by": hold.released_by, "released_at": hold.released_at, "release_reason": hold.release_reason}
