"""Review: the queue of records whose evidence people judge, leases on them, and decisions (protocol section 10).

A decision is a record of its own and gives the reviewed one no new version; a return makes a task for the inspector.
Serves the API, the pages and the bundle; knows no request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.records import record_type
from schemas.reviews import STATE_OF
from schemas.values import is_uuid, stamp
from server.inspected import inspected
from server.models import Claim
from server.trade.statuses import must_be_scope
from sync.kept import Kept
from sync.models import Record, table_of
from sync.records import Door
from sync.scope import view_of
from sync.writers import Writer

LEASE = timedelta(minutes=15)
DECIDABLE = frozenset({"open", "escalated"})
risk_or_zero = func.coalesce(Record.risk, 0)
CURSOR = re.compile(r"(\d{1,9})-(\d{1,18})")


def queue(session: Session, scopes: Sequence[str], at: str, *, state: str, scope: str | None, limit: int,
          cursor: str | None) -> dict[str, Any]:
    """`{items, next, counts}` at the wire time `at`, riskiest and oldest first; raises `scope_unknown`,
    `cursor_invalid`."""
    seen = and_(Record.review_state.is_not(None), Record.deleted.is_(False),
                Record.scope.in_(view_of(session, scopes).full))
    if scope is not None:
        must_be_scope(scope)
        seen = and_(seen, Record.scope.startswith(scope, autoescape=True))
    counts = session.execute(select(Record.review_state, func.count().label("number")).where(seen)
                             .group_by(Record.review_state))
    query = select(Record.id, Record.type, Record.version, Record.due_at, Record.created_seq,
                   risk_or_zero.label("risk")).where(seen, Record.review_state == state)
    if cursor is not None:
        query = query.where(_after(cursor))
    rows = session.execute(query.order_by(risk_or_zero.desc(), Record.created_seq).limit(limit + 1)).all()
    page = rows[:limit]
    ids = [row.id for row in page]
    flags, claims = flags_about(session, ids), live_claims(session, ids, at)
    last = page[-1] if len(rows) > limit else None
    return {"items": [{"record_type": row.type, "record_id": row.id, "version": row.version, "state": state,
                       "risk": row.risk, "flags": flags[row.id], "due_at": row.due_at,
                       "claimed_by": claims[row.id].user_id if row.id in claims else None} for row in page],
            "next": f"{last.risk}-{last.created_seq}" if last else None,
            "counts": {row.review_state: row.number for row in counts}}


def _after(cursor: str) -> ColumnElement[bool]:
    """SQL for "behind the last row of the page before"."""
    match = CURSOR.fullmatch(cursor)
    if match is None or not cursor.isascii():
        raise Problem("cursor_invalid", "the cursor belongs to another list")
    risk, created_seq = int(match[1]), int(match[2])
    return or_(risk_or_zero < risk, and_(risk_or_zero == risk, Record.created_seq > created_seq))


def flags_about(session: Session, ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """By record id the flags of all evidence about it, each with the `evidence_id` it stands on."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rows = session.execute(select(Record.id, Record.about_id, Record.fields).where(
        Record.type == "evidence", Record.about_id.in_(list(ids))).order_by(Record.created_seq))
    for evidence_id, about_id, fields in rows:
        found[about_id or ""] += [{**flag, "evidence_id": evidence_id}
                                  for flag in orjson.loads(fields).get("flags") or ()]
    return found


def live_claims(session: Session, ids: Iterable[str], at: str) -> dict[str, Claim]:
    """The leases on these records that still hold at the wire time `at`."""
    rows = session.execute(select(Claim).where(Claim.record_id.in_(list(ids)), Claim.until > at)).scalars()
    return {row.record_id: row for row in rows}


def captors(session: Session, kept: Kept) -> set[str]:
    """The ids of everybody whose work this record is: who made it, whose it is, and who took evidence of it, be it in
    the inspection in which it was found."""
    takers = session.execute(select(Record.created_by).where(
        Record.type == "evidence", Record.about_id == kept.id)).scalars()
    inspectors = (photo.created_by for made in inspected(session, [kept]).values() for photo in made.photos)
    declared = {name: kept.fields.get(name) for name in ("officers", "inspector_id") if name in kept.declared.fields}
    return {kept.created_by, *takers, *inspectors, *(declared.get("officers") or ()),
            declared.get("inspector_id") or ""}


def under_review(door: Door, reviewer: Writer, record_id: str) -> Kept:
    """The record, when it is in the queue and in the reviewer's scope; raises `not_found`."""
    kept = door.get(record_id) if is_uuid(record_id) else None
    if kept is None or kept.deleted or kept.marks.get("review_state") is None or not reviewer.covers(kept.scope):
        raise Problem("not_found", "不在审核中,或无权知晓 not under review, or no right to know of it",
                      hidden=kept is not None and not reviewer.covers(kept.scope))
    return kept


def claim(door: Door, reviewer: Writer, record_id: str) -> dict[str, Any]:
    """Lease the record for 15 minutes, or renew one's own lease.

    Raises `not_found`, `own_work`, `version_changed` when nothing waits for a decision, `claimed`.
    """
    kept = _decidable(door, reviewer, record_id)
    until = stamp(door.now + LEASE)
    door.session.merge(Claim(record_id=kept.id, user_id=reviewer.user_id, until=until))
    door.record_entry("claim", reviewer.user_id, kept.id, {"type": kept.type, "until": until})
    return {"record_id": kept.id, "claimed_by": reviewer.user_id, "until": until}


def decide(door: Door, reviewer: Writer, record_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Write the decision, and the task of a return; `given` is a loaded `DecisionGiven`.

    Raises `not_found`, `own_work`, `claimed`, `version_changed` when the record moved on or somebody decided already,
    `field_invalid` for photos of something else.
    """
    kept = _decidable(door, reviewer, record_id)
    if given["version"] != kept.version:
        raise Problem("version_changed", f"记录已有新版本 the record is at version {kept.version}",
                      version=kept.version)
    photos = _photos(door, kept, given["photos"])
    state = STATE_OF[given["decision"]]
    decision = door.create(record_type("decision"), door.new_id(), kept.scope, {
        "about": {"type": kept.type, "id": kept.id}, "decision": given["decision"], "about_version": kept.version,
        "reasons": given["reasons"], "note": given["note"] or None, "photos": photos,
        "reviewer_id": reviewer.user_id}, reviewer)
    door.mark(kept.id, review_state=state)
    door.record_entry("decision", reviewer.user_id, kept.id, {
        "type": kept.type, "version": kept.version, "decision": given["decision"], "state": state,
        "decision_id": decision.id, "photos": [photo["evidence_id"] for photo in photos]})
    held = door.session.get(Claim, kept.id)
    if held is not None:
        door.session.delete(held)
    task = _retake(door, reviewer, kept, given, photos) if state == "returned" else None
    return {"decision": decision.to_wire(), "state": state, **({"task": task.to_wire()} if task else {})}


def _decidable(door: Door, reviewer: Writer, record_id: str) -> Kept:
    """The record, when a decision on it is open to this reviewer: somebody else's work, undecided, leased to nobody
    else. A decision gives the record no new version, so that its review state tells what was decided meanwhile."""
    kept = under_review(door, reviewer, record_id)
    if reviewer.user_id in captors(door.session, kept):
        raise Problem("own_work", "采集人不得审核本人工作 who captured it does not review it")
    state = kept.marks["review_state"]
    if state not in DECIDABLE:
        raise Problem("version_changed", f"已有审核结论 it is {state} already", version=kept.version, state=state)
    held = live_claims(door.session, [kept.id], door.at).get(kept.id)
    if held is not None and held.user_id != reviewer.user_id:
        raise Problem("claimed", f"他人正在审核 claimed until {held.until}", claimed_by=held.user_id, until=held.until)
    return kept


def _photos(door: Door, kept: Kept, named: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The named photos with their roles; raises `field_invalid` for one that is no evidence about this record."""
    roles = {row.id: orjson.loads(row.fields).get("role") for row in door.session.execute(
        select(table_of(Record)).where(Record.type == "evidence", Record.about_id == kept.id))}
    strange = {f"photos.{place}.evidence_id": ["no evidence about this record"]
               for place, photo in enumerate(named) if photo["evidence_id"] not in roles}
    if strange:
        raise Problem("field_invalid", "照片须为此记录的证据 photos must be evidence about this record", errors=strange)
    return [{**photo, "role": roles[photo["evidence_id"]]} for photo in named]


def _retake(door: Door, reviewer: Writer, kept: Kept, given: Mapping[str, Any],
            photos: Sequence[Mapping[str, Any]]) -> Kept:
    """The task by which the inspector learns what to take again; it reaches his devices as any record does."""
    title = f"补拍取证 {len(photos)} 张 Retake {len(photos)} photo(s)" if photos else "补充取证 Add evidence"
    return door.create(record_type("task"), door.new_id(), kept.scope, {
        "title": title, "kind": "retake", "about": {"type": kept.type, "id": kept.id},
        "assignee": kept.fields.get("inspector_id") or kept.created_by, "photos": list(photos),
        "note": "；".join([*given["reasons"], given["note"] or ""]).strip("；"), "due_at": given.get("due_at")},
        reviewer, op="retake")
