"""Conflicts for people to settle: listed by record with the value that stands now, settled together, all or none.

Serves the API and the page; knows no request. What settling means is the engine's (`sync/conflicts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.push import Mutation
from schemas.values import is_uuid, stamp
from sync import office
from sync.conflicts import changed_since, may_settle
from sync.equality import same
from sync.kept import Kept, kept_from
from sync.models import Record
from sync.records import RECORD, Door
from sync.scope import view_of
from sync.values import value_of
from sync.writers import Writer

SHOWN = ("field", "kind", "base", "theirs", "mine", "winner", "theirs_by", "mine_by", "opened_at", "state")


def conflict_page(session: Session, writer: Writer, asked: Mapping[str, str], limit: int, now: datetime
                  ) -> dict[str, Any]:
    """`{items, next}`: records with open conflicts in the writer's scopes, those first that wait longest.

    `asked`: `scope` (begins so), `record_type`, `record_id`, `person` (a user id: either writer), `older_than_h`,
    `cursor`. Each item has all open conflicts of its record that the filter lets through.
    """
    query = _open(session, writer, asked, now)
    first = func.min(Record.created_seq)
    groups = session.execute(query.with_only_columns(Record.about_id, first.label("first")).group_by(Record.about_id)
                             .having(first > int(asked.get("cursor") or 0)).order_by(first).limit(limit + 1)).all()
    page = groups[:limit]
    found = session.execute(query.with_only_columns(RECORD).where(Record.about_id.in_([row.about_id for row in page]))
                            .order_by(Record.created_seq)).mappings()
    conflicts: dict[str, list[Kept]] = {row.about_id: [] for row in page}
    for row in found:
        conflicts[row["about_id"]].append(kept_from(row))
    records = _records(session, conflicts)
    return {"items": [_shown(records.get(record_id), each, writer) for record_id, each in conflicts.items()],
            "next": str(page[-1].first) if len(groups) > limit else None}


def settle_together(door: Door, writer: Writer, record_id: str, resolutions: Sequence[Mapping[str, Any]],
                    seen: int | None = None) -> list[Mapping[str, Any]]:
    """Settle conflicts of one record, `{id, version, choice, value?}` each; gives what the engine says of each.

    Raises `state_moved` with `stale`, the conflicts that are no longer as they were looked at or, when the record's
    version that was `seen` is given, whose value is not; `choice_invalid` for choices that contradict each other; and
    whatever the engine refuses. Then none is settled.
    """
    kept = [(each, door.get(each["id"])) for each in resolutions]
    if any(conflict is None or conflict.type != "conflict" or conflict.fields["record_id"] != record_id
           or not writer.covers(conflict.scope) for _, conflict in kept):
        raise Problem("not_found",
                      "此记录没有这一冲突,或无权知晓 no such conflict of this record, or no right to know of it",
                      hidden=any(conflict and conflict.type == "conflict" and not writer.covers(conflict.scope)
                                 for _, conflict in kept))
    stale = [{"id": conflict.id, "version": conflict.version, "state": conflict.fields["state"]}
             for each, conflict in kept
             if conflict and (conflict.fields["state"] != "open" or conflict.version != each["version"]
                              or (seen is not None and changed_since(door.get(record_id), conflict.fields, seen)))]
    if stale:
        raise Problem("state_moved", "冲突已变化,请重新查看 conflicts have changed meanwhile, look again", stale=stale)
    _must_agree([(each, conflict.fields) for each, conflict in kept if conflict])
    return [office.shown(office.write(door, writer, _resolution(door, each))) for each in resolutions]


def _must_agree(chosen: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
    """Raise `choice_invalid` for two choices that would leave different values in one place."""
    left: dict[tuple[str, str], Any] = {}
    for given, fields in chosen:
        for place, value in _left_by(given, fields):
            if not same(left.setdefault(place, value), value):
                raise Problem("choice_invalid", f"同一处只能留一个值 {place[1]} can have one value only",
                              errors={place[1]: ["contradicting choices"]})


def _left_by(given: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    """The places (kind, unit) that a choice writes, each with its value. An edit of a deleted record that is chosen
    brings the record back, and writes what it set."""
    value = given.get("value") if given["choice"] == "value" else fields.get(given["choice"])
    kind, unit = fields["kind"], fields["field"]
    if kind == "deletion":
        yield (kind, unit), value is True
        if given["choice"] == "mine":
            edited = {name: one for edit in fields.get("edits") or () for name, one in edit["set"].items()}
            yield from ((("value", name), one) for name, one in edited.items())
    elif kind != "command":
        yield (kind, unit), value


def _resolution(door: Door, given: Mapping[str, Any]) -> Mutation:
    args = {name: given[name] for name in ("choice", "value") if name in given}
    return Mutation(door.new_id(), "conflict", given["id"], "command", command={"name": "resolve", "args": args})


def _open(session: Session, writer: Writer, asked: Mapping[str, str], now: datetime) -> Select[Any]:
    query = select(RECORD).where(Record.type == "conflict", Record.status == "open", Record.deleted.is_(False),
                                 view_of(session, writer.scopes).condition())
    if asked.get("scope"):
        query = query.where(Record.scope.startswith(asked["scope"], autoescape=True))
    if asked.get("record_id"):
        query = query.where(Record.about_id == asked["record_id"])
    # A member of the stored document, in the one spelling in which it is written; a quote inside a value is escaped.
    for name, member in (("record_type", "record_type"), ("person", "user_id")):
        if asked.get(name):
            query = query.where(Record.fields.contains(f'"{member}":{orjson.dumps(asked[name]).decode()}',
                                                       autoescape=True))
    if asked.get("older_than_h"):
        query = query.where(Record.created_at <= stamp(now - timedelta(hours=int(asked["older_than_h"]))))
    return query


def _records(session: Session, ids: Iterable[str]) -> dict[str, Kept]:
    rows = session.execute(select(RECORD).where(RECORD.c.id.in_([each for each in ids if is_uuid(each)]))).mappings()
    return {row["id"]: kept_from(row) for row in rows}


def _shown(kept: Kept | None, conflicts: Sequence[Kept], writer: Writer) -> dict[str, Any]:
    """A record with its open conflicts; `present` is the value that stands now, which may be neither of the two."""
    named = conflicts[0].fields
    record = {"record_type": named["record_type"], "record_id": named["record_id"], "scope": conflicts[0].scope,
              "version": kept.version if kept else None, "deleted": kept.deleted if kept else None}
    return {**record, "opened_at": named["opened_at"], "conflicts": [
        {"id": one.id, "version": one.version, **{name: one.fields.get(name) for name in SHOWN},
         "present": _present(kept, one.fields), "may_settle": may_settle(one.fields, writer)} for one in conflicts]}


def _present(kept: Kept | None, fields: Mapping[str, Any]) -> Any:
    if kept is None:
        return None
    unit, kind = fields["field"], fields["kind"]
    if kind in ("deletion", "scope"):
        return kept.deleted if kind == "deletion" else kept.scope
    return value_of(kept.declared, kept.fields, unit)
