"""The audit of the review queue: what waits for a decision, and what was decided, is what the journal tells.

A record whose state was altered would leave the queue, or be accepted, with nobody's decision. Serves
`bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from schemas.reviews import STATE_OF
from server.rules.risk import risk_of
from server.trade import REVIEWED
from server.trade.base import DECIDED
from sync.audit import Audit, batches, journalled, parsed, stream
from sync.models import History, JournalEntry, Record


class Decided(NamedTuple):
    """The newest decision about a record: the state that it gave, and the record that it is."""

    state: str | None
    decision_id: str | None


def check_reviews(audit: Audit, session: Session) -> None:
    """Every record that people review is in the state that its newest decision gave it, or open again by what came
    after that."""
    reviewed = stream(session, select(
        Record.id, Record.review_state, Record.risk, Record.fields, Record.deleted).where(
        or_(Record.type.in_(REVIEWED), Record.review_state.is_not(None))).order_by(Record.id))
    for batch in batches(reviewed):
        decided = _newest(session, [row.id for row in batch])
        changed = _changed_since(session, decided) if decided else {}
        flags = _flags(session, [row.id for row in batch])
        for row in batch:
            audit.checked["reviews"] += 1
            if row.review_state not in _possible(decided.get(row.id), changed.get(row.id, frozenset())):
                audit.wrong("review_altered", row.id, "its review state is not what its decisions give")
            if not row.deleted and row.risk != risk_of(flags.get(row.id, ()), parsed(row.fields) or {}):
                audit.note("risks_unlike", row.id,
                           "its risk, which only orders the queue, is not what today's weights give")


def _flags(session: Session, record_ids: Sequence[str]) -> dict[str, list[Any]]:
    """The flags of the evidence about each of these records."""
    found: dict[str, list[Any]] = {}
    for about_id, text in session.execute(select(Record.about_id, Record.fields).where(
            Record.type == "evidence", Record.about_id.in_(record_ids), Record.deleted.is_(False))):
        found.setdefault(str(about_id), []).extend((parsed(text) or {}).get("flags") or ())
    return found


def _newest(session: Session, record_ids: Sequence[str]) -> dict[str, Decided]:
    """The newest decision about each of these records that has any, as the journal tells."""
    found = {}
    for entry in session.execute(journalled().where(
            JournalEntry.about.in_(record_ids), JournalEntry.kind == "decision")):
        body = parsed(entry.body) or {}
        found[str(entry.about)] = Decided(STATE_OF.get(body.get("decision")), body.get("decision_id"))
    return found


def _changed_since(session: Session, decided: Mapping[str, Decided]) -> dict[str, frozenset[str]]:
    """What came after the decision about each of these records: an `edit` of it, `evidence` about it."""
    decision_ids = [found.decision_id for found in decided.values()]
    made = {row.id: row.created_seq for row in session.execute(
        select(Record.id, Record.created_seq).where(Record.id.in_(decision_ids)))}
    edited = select(History.record_id, func.max(History.seq)).where(
        History.record_id.in_(decided), History.op == "edit").group_by(History.record_id)
    shown = select(Record.about_id, func.max(Record.created_seq)).where(
        Record.type == "evidence", Record.about_id.in_(decided)).group_by(Record.about_id)
    last = {what: dict(session.execute(query).all()) for what, query in (("edit", edited), ("evidence", shown))}
    return {record_id: frozenset(what for what, at in last.items()
                                 if at.get(record_id, 0) > made.get(found.decision_id or "", 0))
            for record_id, found in decided.items()}


def _possible(decided: Decided | None, changed: frozenset[str]) -> tuple[str | None, ...]:
    """The states in which a record may be. Evidence opens a returned one unless it comes from outside of its scope."""
    if decided is None:
        return ("open",)
    if decided.state in DECIDED and "edit" in changed:
        return ("open",)
    return (decided.state, "open") if decided.state == "returned" and "evidence" in changed else (decided.state,)
