"""How long the records of this installation are kept, and which are due; the rule is server/rules/retention.py.

A case is one file (一案一卷): a finding is kept as long as the longest of itself and the enforcement records that name
it, an inspection as long as the findings made in it, evidence as long as what it is about. Serves the API, the pages
and disposals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, column, func, or_, select
from sqlalchemy import table as view
from sqlalchemy.orm import Session

from media.models import Photo
from schemas.problems import Problem
from schemas.values import stamp
from server.reference import table
from server.rules.holds import kinds
from server.rules.retention import Retention, Subject, latest_receipt, longest, retention_of, shortest_months
from server.rules.worktime import BEIJING
from server.trade.statuses import must_be_scope
from sync.bulk import Among
from sync.kept import RECORD, Kept, kept_from
from sync.models import Record
from sync.scope import view_of

THROUGH = {"finding": ("enforcement", "finding_id"), "inspection": ("finding", "inspection_id")}
"""By type the records that are of its file, too: their type, and the field that names it."""
LOOKED_AT = 1000
NOTHING = Retention(None, None, None, "unlisted")


def retentions(session: Session, records: Iterable[Kept], now: datetime) -> dict[str, Retention]:
    """By id how long each of these records is kept. For an inspection every finding is looked at."""
    records = list(records)
    subjects = [kept.marks["about_id"] if kept.type == "evidence" else kept.id for kept in records]
    known = {kept.id: kept for kept in records if kept.type != "evidence"}
    known |= _read(session, {one for one in subjects if one} - known.keys())
    own = _with_file(session, list(known.values()), now)
    return {kept.id: own.get(subject or "", NOTHING) for kept, subject in zip(records, subjects, strict=True)}


def due_page(session: Session, scopes: Sequence[str], asked: Mapping[str, Any], now: datetime,
             limit: int) -> tuple[list[tuple[Kept, Retention]], str | None]:
    """Records in these scopes whose period is over at `due_before` (a datetime, or now), by their numbers, and the
    cursor of the next page, which may come after fewer than `limit`. `asked` besides: `class`, `scope`, `cursor`.

    Raises `scope_unknown`, `class_unknown`.
    """
    at = asked.get("due_before") or now
    query = select(RECORD).where(view_of(session, scopes).condition(), _may_be_over(at, asked.get("class")))
    if asked.get("scope"):
        must_be_scope(asked["scope"])
        query = query.where(Record.scope.startswith(asked["scope"], autoescape=True))
    if asked.get("cursor"):
        query = query.where(Record.seq > asked["cursor"])
    rows = [kept_from(row) for row in session.execute(query.order_by(Record.seq).limit(LOOKED_AT)).mappings()]
    found: list[tuple[Kept, Retention]] = []
    kept = retentions(session, rows, now)
    for row in rows:
        if kept[row.id].is_over(stamp(at)) and asked.get("class") in (None, kept[row.id].name):
            if len(found) == limit:
                return found, str(found[-1][0].seq)
            found.append((row, kept[row.id]))
    return found, str(rows[-1].seq) if len(rows) == LOOKED_AT else None


def photos_about(session: Session, ids: Iterable[str]) -> dict[str, int]:
    """By record how many photos that stand here are about it."""
    return {about: count for about, count in session.execute(
        select(Record.about_id, func.count(func.distinct(Photo.sha256))).join(Photo, Photo.sha256 == Record.sha256)
        .where(Record.type == "evidence", Among(Record.about_id, list(ids))).group_by(Record.about_id)) if about}


def _with_file(session: Session, records: list[Kept], now: datetime) -> dict[str, Retention]:
    """By id the longest of each record and what is of its file."""
    on = now.astimezone(BEIJING).date()
    members = _members(session, records)
    beside = _with_file(session, [kept for some in members.values() for kept in some], now) if members else {}
    found = {}
    for kept in records:
        deleted_at = kept.updated_at if kept.deleted else None
        own = retention_of(Subject(kept.type, kept.scope, kept.fields, kept.created_at, deleted_at), on)
        most = longest([own, *(beside[one.id] for one in members.get(kept.id, ()))])
        assert most is not None
        found[kept.id] = own if most == own else Retention(own.name, most.runs_from, most.until, "longer")
    return found


def _members(session: Session, records: Iterable[Kept]) -> dict[str, list[Kept]]:
    """By record those that are of its file."""
    by_type: dict[str, list[str]] = {}
    for kept in records:
        if kept.type in THROUGH:
            by_type.setdefault(kept.type, []).append(kept.id)
    named: dict[str, str] = {}
    for name, ids in by_type.items():
        of_type, through = THROUGH[name]
        rows = view(of_type, column("id"), column(through))
        named |= {row[0]: row[1] for row in session.execute(
            select(rows.c["id"], rows.c[through]).where(Among(rows.c[through], ids)))}
    found: dict[str, list[Kept]] = {}
    for one in _read(session, named.keys()).values():
        found.setdefault(named[one.id], []).append(one)
    return found


def _read(session: Session, ids: Iterable[str]) -> dict[str, Kept]:
    wanted = list(ids)
    rows = session.execute(select(RECORD).where(Among(Record.id, wanted))).mappings() if wanted else ()
    return {row["id"]: kept_from(row) for row in rows}


def _may_be_over(at: datetime, name: str | None) -> ColumnElement[bool]:
    """SQL that leaves out what cannot be over: too young for the shortest period of its type, or under way."""
    types = {row["type"] for row in table("retention") if name in (None, row["class"])}
    if not types:
        raise Problem("class_unknown", f"没有此保管类别 no retention class {name!r}", errors={"class": ["unknown"]})
    arms = []
    for each, months in shortest_months().items():
        if each in types:
            arm = and_(Record.type == each, Record.created_at < latest_receipt(at, months))
            if each in kinds():
                arm = and_(arm, or_(Record.deleted, Record.status.in_(kinds()[each].free_in)))
            arms.append(arm)
    return or_(*arms) if arms else Record.id.is_(None)
