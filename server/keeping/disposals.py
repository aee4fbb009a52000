"""Disposal of photos (销毁): somebody proposes, somebody else approves or refuses; `removal` then removes the bytes.

Only what is over is disposed of: the period of each record, and of all others whose evidence names the same photo, and
no legal hold covers any. That is asked when it is proposed, when it is approved, and again when the bytes go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Photo, PhotoDisposal
from schemas.problems import Problem
from schemas.values import parse_time
from server.keeping import orders, periods
from server.keeping.models import Disposal
from server.keeping.proposals import decide, must_be_as_told, told
from sync.audit import journalled, parsed
from sync.bulk import Among
from sync.kept import RECORD, kept_from
from sync.models import JournalEntry, Record
from sync.records import Door
from sync.writers import Writer

PROPOSED, APPROVED, REFUSED, DONE = "disposal_proposed", "disposal_approved", "disposal_refused", "disposal_done"
MOST_RECORDS = 500
WAITING, KEPT = "waiting", "kept"


class Approval(NamedTuple):
    """What the journal says was approved: the number of its entry, who did it, and the photos that may go by it."""

    number: int
    by: str
    photos: frozenset[str]


def propose(door: Door, writer: Writer, given: Mapping[str, Any]) -> Disposal:
    """Propose to dispose of the photos about `records`, or about those of a `class` that are over (`due_before`,
    `scope`), MOST_RECORDS at most. Raises `not_found`, `not_due`, `held_by_order`, `frame_empty` where none is."""
    asked = {name: value for name, value in given.items() if name not in ("reason", "records") and value is not None}
    ids = list(dict.fromkeys(given.get("records") or _of_class(door, writer, asked)))
    if not ids:
        raise Problem("frame_empty", "没有可销毁的记录 no record is due")
    scopes = _must_be_due(door, writer, ids)
    made = Disposal(id=door.new_id(), state="proposed", asked=asked, records=ids, scopes=scopes,
                    reason=given["reason"], proposed_by=writer.user_id, proposed_at=door.at)
    door.session.add(made)
    door.record_entry(PROPOSED, writer.user_id, made.id, told(made), aside={"reason": made.reason}, kept=False)
    return made


def approve(door: Door, writer: Writer, made: Disposal, note: str) -> Disposal:
    """Approve it; from now on its photos wait to be removed. Raises `own_proposal`, `state_moved`, and what `propose`
    raises; `proposal_altered` for one of which the journal says else."""
    must_be_as_told(door, made)
    _must_be_due(door, writer, made.records)
    photos = sorted(photos_of(door.session, made.records))
    decide(door, writer, made, APPROVED, note, {"photos": photos})
    made.state = "approved"
    for sha256 in photos:
        door.add_row(PhotoDisposal, {"disposal_id": made.id, "sha256": sha256, "state": WAITING})
    return made


def refuse(door: Door, writer: Writer, made: Disposal, note: str) -> Disposal:
    """Refuse it. Raises `own_proposal`, `state_moved`."""
    decide(door, writer, made, REFUSED, note, {})
    made.state = "refused"
    return made


def approvals(session: Session, ids: Iterable[str]) -> dict[str, Approval]:
    """By disposal what the journal says was approved; rows may be anybody's."""
    found: dict[str, Approval] = {}
    for entry in session.execute(journalled().where(Among(JournalEntry.about, sorted(set(ids))),
                                                    JournalEntry.kind == APPROVED)):
        photos = (parsed(entry.body) or {}).get("photos") or ()
        found.setdefault(str(entry.about), Approval(entry.number, entry.actor, frozenset(photos)))
    return found


def photos_of(session: Session, ids: Iterable[str]) -> set[str]:
    """The photos that stand here and are about these records, or are named by them."""
    wanted = list(ids)
    named = select(Record.sha256).where(Record.type == "evidence", Record.sha256.is_not(None))
    found = {str(one) for query in (named.where(Among(Record.about_id, wanted)), named.where(Among(Record.id, wanted)))
             for one in session.execute(query).scalars()}
    return set(session.execute(select(Photo.sha256).where(Among(Photo.sha256, sorted(found)))).scalars())


def needed(door: Door, sha256: str) -> bool:
    """Does anything still need the photo: a record whose period is not over, or that is under a legal hold?"""
    session = door.session
    rows = session.execute(select(RECORD).where(Record.sha256 == sha256, Record.type == "evidence")).mappings()
    evidence = [kept_from(row) for row in rows]
    kept = periods.retentions(session, evidence, door.now)
    return any(not one.is_over(door.at) for one in kept.values()) or bool(
        orders.held(session, [one.id for one in evidence]))


def shown(session: Session, made: Disposal) -> dict[str, Any]:
    """A disposal as the wire has it, with what became of its photos."""
    photos = session.execute(select(PhotoDisposal).where(PhotoDisposal.disposal_id == made.id).order_by(
        PhotoDisposal.sha256)).scalars()
    return {name: getattr(made, name) for name in (
        "id", "state", "asked", "records", "scopes", "reason", "proposed_by", "proposed_at", "decided_by", "decided_at",
        "note", "ended_at")} | {"photos": [
            {name: getattr(row, name) for name in ("sha256", "state", "trouble", "retry_at", "removed_at")}
            for row in photos]}


def _must_be_due(door: Door, writer: Writer, ids: Sequence[str]) -> list[str]:
    """The scopes of these records, all of which are over, unheld, and in the writer's scopes."""
    door.load(ids)
    records = [kept for one in ids if (kept := door.get(one)) is not None and writer.covers(kept.scope)]
    if len(records) < len(ids):
        unknown = sorted(set(ids) - {kept.id for kept in records})
        raise Problem("not_found", f"没有此记录,或无权知晓 no such record, or no right to know of it: {unknown[0]}")
    kept_for = periods.retentions(door.session, records, door.now)
    if early := [one for one in ids if not kept_for[one].is_over(door.at)]:
        raise Problem("not_due", f"保管期限未满 {len(early)} records are to be kept for longer, {early[0]} first",
                      records=early[:50])
    if held := sorted(orders.held(door.session, ids)):
        raise Problem("held_by_order", f"已被保全 {len(held)} records are under a legal hold, {held[0]} first",
                      records=held[:50])
    return sorted({kept.scope for kept in records})


def _of_class(door: Door, writer: Writer, asked: Mapping[str, Any]) -> list[str]:
    """The records of the class that are over and have photos here, and are not held."""
    before = parse_time(asked["due_before"]) if asked.get("due_before") else door.now
    query = {**asked, "due_before": min(before, door.now)}
    found: list[str] = []
    while len(found) < MOST_RECORDS:
        page, following = periods.due_page(door.session, writer.scopes, query, door.now, MOST_RECORDS)
        ids = [kept.id for kept, _ in page]
        photos, held = periods.photos_about(door.session, ids), orders.held(door.session, ids)
        found += [one for one in ids if one in photos and one not in held]
        if following is None:
            break
        query["cursor"] = int(following)
    return found[:MOST_RECORDS]
