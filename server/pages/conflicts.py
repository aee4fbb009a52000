"""Conflicts: both values side by side, who brought them and when, and a choice: theirs, mine, or a third value."""

from __future__ import annotations

from typing import Any

import orjson
from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from schemas.problems import Problem
from server.api.records import write
from server.auth import me
from server.db import db, reading
from server.listing import list_page
from server.pages.entrance import bp, done
from server.pages.lookups import learn_names
from server.pages.values import apart_m
from sync.records import RECORD, Kept, kept_from

PAGE = 40


@bp.get("/conflicts")
def conflicts() -> str:
    """Open conflicts in the person's scopes, oldest first; those of one record where it is named."""
    asked = {"type": "conflict", "status": "open", "sort": "created_at"}
    for name in ("about_id", "cursor"):
        if request.args.get(name):
            asked[name] = request.args[name]
    with reading():
        page = list_page(db.session(), me().scopes, asked, PAGE)
        found = _records([row["fields"]["record_id"] for row in page["items"]])
        shown = [_shown(row, found.get(row["fields"]["record_id"])) for row in page["items"]]
        learn_names(side["who"] for one in shown for side in one["sides"])
        return render_template("conflicts.html", conflicts=shown, page=page, about=request.args.get("about_id"))


@bp.post("/conflicts/<conflict_id>")
def resolve(conflict_id: str) -> Response:
    """Settle a conflict; the rule of the engine says who may."""
    choice = request.form.get("choice")
    args: dict[str, Any] = {"choice": choice}
    if choice == "value":
        args["value"] = _third_value()
    write("conflict", conflict_id, op="command", command={"name": "resolve", "args": args, "expect": {}})
    return done(url_for("pages.conflicts"), "冲突已裁决", "Conflict settled")


def _third_value() -> Any:
    """The value as typed, or read as JSON where the field is no text; raises `choice_invalid`."""
    text = request.form.get("value", "").strip()
    if request.form.get("value_is") != "json":
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Problem("choice_invalid", "第三个值须为有效 JSON The third value must be valid JSON") from None


def _records(ids: list[str]) -> dict[str, Kept]:
    rows = db.session.execute(select(RECORD).where(RECORD.c.id.in_(ids))).mappings()
    return {row["id"]: kept_from(row) for row in rows}


def _shown(conflict: dict[str, Any], kept: Kept | None) -> dict[str, Any]:
    fields = conflict["fields"]
    both = [fields.get("theirs"), fields.get("mine")]
    sides = [{"choice": name, "value": value, "wins": fields["winner"] == name,
              "who": by.get("user_id") or by.get("writer"), "device": by.get("writer"), "made_at": by.get("made_at")}
             for name, value, by in zip(("theirs", "mine"), both, (fields.get("theirs_by") or {}, fields["mine_by"]),
                                        strict=True)]
    command = any(isinstance(value, dict) and "command" in value for value in both)
    plain_text = all(isinstance(value, (str, type(None))) for value in both)
    return {"id": conflict["id"], "fields": fields, "kept": kept, "sides": sides, "field": fields["field"],
            "apart_m": apart_m(*both), "may_be_other": not command and fields["field"] != "deleted",
            "value_is": "text" if plain_text else "json",
            "draft": both[1] if plain_text else orjson.dumps(both[1]).decode()}
