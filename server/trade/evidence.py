"""Evidence: media and flags as `media` finds them; new evidence reopens a returned review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import select

from media.evidence import arrival, arrived
from schemas.problems import Problem
from schemas.records import RECORD_TYPES
from server.rules.risk import risk_of
from server.trade.base import TypeRule, utc
from server.trade.photos import with_doubts
from server.trade.tracks import with_places
from sync.kept import Kept
from sync.models import Record
from sync.records import Door
from sync.rules import Context


class EvidenceRule(TypeRule):
    """Evidence is immutable but for its note; what the server knows of the photo stands beside it."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        super().check(before, after, context)
        if before is None and after["about"]["type"] not in RECORD_TYPES:
            raise Problem("type_unknown", f"no record type {after['about']['type']!r}")

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = super().derive(before, after, context)
        derived.pop("unsigned", None)
        if before is None:
            derived |= arrival(context.door, context.writer, context.record_id, {**after, **derived})
        if before is None or context.op == "media":  # the places that are compared have come
            whose = before.created_by if before else context.writer.user_id
            derived["flags"] = with_places(context.door, whose, {**after, **derived})
            derived["flags"] = with_doubts(context.door, context.scope, {**after, **derived})
        return derived

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().promote(fields), "about_id": fields["about"]["id"], "sha256": fields["sha256"],
                "media_state": (fields.get("media") or {}).get("state"), "observed_at": utc(fields["captured_at"])}

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        if before is None:
            arrived(context.door, context.writer, after)
        about = context.door.get(after.fields["about"]["id"])
        if about is None or about.marks.get("review_state") is None:
            return
        risk = risk_of(_flags_about(context.door, about.id), about.fields)
        returned = before is None and about.marks["review_state"] == "returned" and context.writer.covers(about.scope)
        context.door.mark(about.id, risk=risk, **({"review_state": "open"} if returned else {}))


def _flags_about(door: Door, about_id: str) -> Iterator[Mapping[str, Any]]:
    """All flags of the live evidence about a record. What is stored is read one by one and not kept by the door: a
    record may have thousands of photos, and each of them asks."""
    fresh = {kept.id: kept for kept in door.fresh() if kept.type == "evidence"}
    for kept in fresh.values():
        if kept.marks["about_id"] == about_id and not kept.deleted:
            yield from kept.fields.get("flags") or ()
    flagged = select(Record.id, Record.fields).where(
        Record.type == "evidence", Record.about_id == about_id, Record.deleted.is_(False),
        Record.fields.contains('"flags":[{')).execution_options(yield_per=100)
    with door.session.connection().execute(flagged) as rows:
        for row in rows:
            if row.id not in fresh:
                yield from orjson.loads(row.fields).get("flags") or ()
