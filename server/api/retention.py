"""How long records are kept, and which are due (evidence.md 3.20)."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import RAISE

from schemas.retention import LONGEST_PAGE, DueAsked
from schemas.values import parse_time
from server.api import blueprint
from server.auth import me, needs_role
from server.db import db, reading
from server.house import house
from server.keeping import periods
from server.listing import visible_record
from server.reference import rights
from server.rules.retention import Retention
from server.wire import answer
from sync.kept import Kept

blp = blueprint("retention", "保管与处置 Retention and disposal")


@blp.get("/retention")
@needs_role(*rights()["retention_read"])
@blp.arguments(DueAsked, location="query", unknown=RAISE)
@blp.response(200)
def list_due(asked: dict[str, Any]) -> Response:
    """Records in the caller's scopes whose period is over, now or at `due_before`: `{items: [{record_type, record_id,
    scope, class, runs_from, until, why, photos}], next}`. A page may have fewer than `limit` and yet a `next`."""
    asked["class"], limit = asked.pop("class_", None), min(asked["limit"], LONGEST_PAGE)
    if asked.get("due_before"):
        asked["due_before"] = parse_time(asked["due_before"])
    with reading():
        found, following = periods.due_page(db.session(), me().scopes, asked, house().clock(), limit)
        photos = periods.photos_about(db.session(), [kept.id for kept, _ in found])
    return answer({"items": [{**shown(kept, kept_for), "photos": photos.get(kept.id, 0)} for kept, kept_for in found],
                   "next": following})


@blp.get("/records/<record_name>/<record_id>/retention")
@blp.response(200)
def get_retention(record_name: str, record_id: str) -> Response:
    """How long the record is kept: `{record_type, record_id, scope, class, runs_from, until, why}`; `why` is `runs`,
    `longer` (what is about it keeps it), `open`, `permanent`, or `unlisted`: no class has it, and it is kept."""
    with reading():
        kept = visible_record(db.session(), me().scopes, record_name, record_id)
        found = periods.retentions(db.session(), [kept], house().clock())[kept.id]
    return answer(shown(kept, found))


def shown(kept: Kept, found: Retention) -> dict[str, Any]:
    """A record's period as the wire has it."""
    return {"record_type": kept.type, "record_id": kept.id, "scope": kept.scope, "class": found.name,
            "runs_from": found.runs_from, "until": found.until, "why": found.why}
