"""What holds for every record type: rights by role, positions in EPSG:4490 beside what was sent, promoted columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from schemas.problems import Problem
from schemas.records import RECORD_TYPES
from schemas.values import STAMP, parse_time, stamp
from schemas.values import Position as PositionField
from server.reference import table
from server.rules.risk import risk_of
from server.trade.ahead import place_of, places
from server.trade.deletion import must_be_deletable
from sync.kept import Kept
from sync.records import Door
from sync.rules import Context
from sync.writers import SERVER, Writer

DECIDED = ("accepted", "excluded")
ONLY_READS = frozenset({"auditor"})
WRITES = {"create": "create", "edit": "edit", "delete": "edit", "amend": "edit"}


@cache
def rights() -> dict[tuple[str, str], frozenset[str]]:
    """Roles by (record type, `create` or `edit`), from `record_rights.csv`."""
    return {(row["type"], what): frozenset(row[what].split()) for row in table("record_rights")
            for what in ("create", "edit")}


def must_have_right(writer: Writer, record_type: str, what: str) -> None:
    """Raise `role_forbidden` unless the writer's roles may create or edit records of this type."""
    roles = rights()[record_type, what]
    if writer is not SERVER and roles.isdisjoint(writer.roles):
        raise Problem("role_forbidden", f"角色无此权限 {what} of a {record_type} is for {', '.join(sorted(roles))}")


def must_act(writer: Writer) -> None:
    """Raise `role_forbidden` for somebody who reads alone (protocol section 1: an auditor changes nothing)."""
    if ONLY_READS.issuperset(writer.roles):
        raise Problem("role_forbidden", "审计员只读 an auditor changes nothing")


class TypeRule:
    """The rules of a type that has none of its own."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        if context.op in WRITES:
            must_have_right(context.writer, self.type_name(before, context), WRITES[context.op])
        if context.op == "delete" and before is not None:
            must_be_deletable(context.door, before, context.writer)

    def type_name(self, before: Kept | None, context: Context) -> str:
        """The type of the record at hand; a new record's is told by the context."""
        return before.type if before else context.type

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = normalized_positions(context.door, self.type_name(before, context), after)
        if before is None and not context.writer.signed:
            derived["unsigned"] = True
        return derived

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        place = (fields.get("position") or {}).get("normalized") or {}
        return {"status": fields.get("status"), "lon": place.get("lon"), "lat": place.get("lat"),
                "due_at": utc(fields.get("due_at")), "inspector_id": fields.get("inspector_id"),
                "zone_id": fields.get("zone_id")}

    def first_marks(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def must_may(self, kept: Kept, name: str, context: Context) -> None:
        raise Problem("command_unknown", f"无此命令 a {kept.type} has no command {name!r}")

    def command(self, kept: Kept, name: str, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        raise NotImplementedError(f"{kept.type} may be given no command, not even {name}")

    def seals(self, kept: Kept) -> bool:
        return False

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        return None


class ReviewedRule(TypeRule):
    """The rules of a type that reviewers decide on."""

    def first_marks(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"review_state": "open", "risk": risk_of([], fields)}

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        """An edited record is before the reviewers again: their decision was on what it said then."""
        if before is not None and context.op == "edit" and after.marks.get("review_state") in DECIDED:
            context.door.mark(after.id, review_state="open")


def normalized_positions(door: Door, record_type: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Positions that lack `normalized`, with it: `{lon, lat}` in EPSG:4490, degrees."""
    return {name: {**value, "normalized": places(door).of(place_of(value))} for name in _positions(record_type)
            if isinstance(value := fields.get(name), dict) and "normalized" not in value}


@cache
def _positions(record_type: str) -> tuple[str, ...]:
    return tuple(name for name, declared in RECORD_TYPES[record_type].fields.items()
                 if isinstance(declared.value, PositionField))


def utc(text: Any) -> str | None:
    """A time field as it stands in a sortable column; None for what is no time."""
    return _utc(text) if isinstance(text, str) else None


@lru_cache(maxsize=4096)
def _utc(text: str) -> str | None:
    try:
        at = parse_time(text)
    except ValueError:
        return None
    return text if STAMP.fullmatch(text) else stamp(at)
