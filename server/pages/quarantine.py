"""The quarantine: what could not be applied, readable whole; released with corrected fields, or dismissed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from schemas.people import Reason, Release
from schemas.problems import PROBLEMS, Problem
from schemas.records import RECORD_TYPES
from schemas.values import is_uuid
from server.api.quarantine import STATES, dismiss_entry, release_entry
from server.auth import me, needs_role
from server.db import db, reading
from server.listing import quarantine_page
from server.pages.entrance import bp, done, loaded
from server.pages.lookups import learn_names
from server.rules.masking import meant
from sync.models import Quarantined

MOST = 100
FARTHEST = 500  # numbers apart: a group lies within one push


@bp.get("/quarantine")
@needs_role("supervisor", "admin")
def quarantine() -> str:
    """Open entries, oldest first; settled ones stay readable under their state."""
    state = request.args.get("state", "open")
    state = state if state in STATES else "open"
    with reading():
        rows, following = quarantine_page(db.session(), me().scopes, None, MOST, request.args.get("cursor"), state,
                                          homeless=me().has_role("admin"))
        learn_names([*(row.user_id for row in rows), *(row.device_id for row in rows),
                     *((row.settlement or {}).get("by") for row in rows)])
        return render_template("quarantine.html", entries=[_shown(row) for row in rows], beside=_beside(rows),
                               state=state, states=STATES, following=following)


@bp.post("/quarantine/<quarantine_id>/release")
@needs_role("supervisor", "admin")
def release(quarantine_id: str) -> Response:
    """Apply the mutation with the fields that were corrected; others stay as they were sent."""
    row = db.session.get(Quarantined, quarantine_id)
    sent = _sent(row.mutation) if row else {}
    corrected = {name: value for name, value in _typed(request.form, sent).items() if value != sent.get(name)}
    scope = request.form.get("scope", "").strip()
    given = loaded(Release(), {"set": corrected, **({"scope": scope} if scope else {})})
    release_entry(quarantine_id, given)
    return done(url_for("pages.quarantine"), "已放行并应用", "Released and applied")


@bp.post("/quarantine/<quarantine_id>/dismiss")
@needs_role("supervisor", "admin")
def dismiss(quarantine_id: str) -> Response:
    """Close an entry without applying it."""
    dismiss_entry(quarantine_id, loaded(Reason(), {"reason": request.form.get("reason", "")})["reason"])
    return done(url_for("pages.quarantine"), "已关闭,原文保留", "Dismissed; the raw mutation stays")


def _typed(form: Mapping[str, str], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Fields from inputs named `text.NAME` and `json.NAME`; one left empty, or as it was shown, changes nothing."""
    given: dict[str, Any] = {}
    for key, text in form.items():
        kind, _, name = key.partition(".")
        if kind not in ("text", "json") or not text.strip():
            continue
        try:
            text = meant(text, _draft(sent.get(name)))
        except ValueError:
            raise Problem("field_invalid", f"{name} 中的号码被遮盖,请写全 a number in it is masked: give it in full",
                          errors={name: ["masked"]}) from None
        try:
            given[name] = text if kind == "text" else orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Problem("field_invalid", f"{name} 须为有效 JSON must be valid JSON",
                          errors={name: ["not JSON"]}) from None
    return given


def _beside(rows: Sequence[Quarantined]) -> dict[str, list[Quarantined]]:
    """By entry the others of its group, settled or not: each is released by itself."""
    found: dict[str, list[Quarantined]] = {}
    for row in rows:
        if group := _group_of(row):
            near = db.session.execute(select(Quarantined).where(
                Quarantined.device_id == row.device_id, Quarantined.n.between(row.n - FARTHEST, row.n + FARTHEST))
                .order_by(Quarantined.n)).scalars()
            found[row.id] = [other for other in near if other.id != row.id and _group_of(other) == group]
    return found


def _group_of(row: Quarantined) -> str | None:
    group = row.mutation.get("group") if isinstance(row.mutation, dict) else None
    return group if is_uuid(group) else None


def _shown(row: Quarantined) -> dict[str, Any]:
    mutation, sent = row.mutation if isinstance(row.mutation, dict) else {}, _sent(row.mutation)
    named = [name for name in (row.problem.get("errors") or {}) if name in _fields_of(mutation.get("type"))]
    inputs = [{"name": name, "kind": "text" if isinstance(sent.get(name), str) or name not in sent else "json",
               "value": _draft(sent.get(name)), "wrong": name in named}
              for name in dict.fromkeys([*named, *sent])]
    return {"row": row, "mutation": mutation, "sent": sent, "inputs": inputs,
            "title": PROBLEMS[row.reason].title if row.reason in PROBLEMS else row.reason,
            "raw": orjson.dumps(row.mutation, option=orjson.OPT_INDENT_2).decode()}


def _sent(mutation: Any) -> dict[str, Any]:
    """The fields that a raw mutation sets, as far as it is well formed."""
    sent = mutation.get("set") if isinstance(mutation, dict) else None
    return sent if isinstance(sent, dict) else {}


def _fields_of(record_type: Any) -> Mapping[str, Any]:
    return RECORD_TYPES[record_type].fields if isinstance(record_type, str) and record_type in RECORD_TYPES else {}


def _draft(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
