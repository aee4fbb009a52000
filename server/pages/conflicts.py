"""Conflicts: both values side by side with their authors and what stands now; those of a record settled in one go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from schemas.conflicts import Resolutions
from schemas.problems import Problem
from schemas.records import RECORD_TYPES
from server.api.conflicts import FILTERS, settle
from server.api.pull import number_argument
from server.auth import me
from server.conflicts import conflict_page
from server.db import db, reading
from server.house import house
from server.listing import visible_record
from server.models import User
from server.pages.entrance import bp, done, loaded
from server.pages.inputs import input_of, typed
from server.pages.lookups import learn_names
from server.pages.values import apart_m
from sync.equality import same
from sync.kept import Kept, kept_from
from sync.records import RECORD
from sync.writers import covers

PAGE = 20
AGES_H = (24, 72, 168)
CHOICES = ("theirs", "mine", "value")


@bp.get("/conflicts")
def conflicts() -> str:
    """Records with open conflicts in the person's scopes, those first that wait longest; `about_id` names one."""
    asked = {name: value for name in (*FILTERS, "older_than_h") if (value := request.args.get(name, "").strip())}
    if request.args.get("about_id"):
        asked["record_id"] = request.args["about_id"]
    for name, most in (("cursor", 2**53), ("older_than_h", 24 * 366)):
        if request.args.get(name):
            asked[name] = str(number_argument(name, 0, least=0, most=most))
    with reading():
        page = conflict_page(db.session(), me().writer(), asked, PAGE, house().clock())
        found = _records([item["record_id"] for item in page["items"]])
        shown = [_shown(item, found.get(item["record_id"])) for item in page["items"]]
        learn_names(who for item in shown for one in item["conflicts"] for side in one["sides"]
                    for who in (side["who"], side["device"]))
        filters = {name: value for name, value in asked.items() if name != "cursor"}
        return render_template("conflicts.html", items=shown, page=page, asked=filters, people=_people(),
                               back={name: value for name, value in filters.items() if name != "record_id"},
                               types=[name for name, one in RECORD_TYPES.items() if one.origin != "server"],
                               ages=AGES_H)


@bp.post("/conflicts/<record_id>")
def resolve(record_id: str) -> Response:
    """Settle what was chosen on one record's card, all or none; the rule of the engine says who may."""
    given = [_given(key.partition(".")[2], choice) for key, choice in request.form.items()
             if key.startswith("choice.") and choice in CHOICES]
    if not given:
        raise Problem("choice_invalid", "请先选择要保留的值 Choose a value first")
    settle(record_id, loaded(Resolutions(), {"resolutions": given})["resolutions"])
    back = {name: value for name in (*FILTERS, "older_than_h") if (value := request.args.get(name))}
    return done(url_for("pages.conflicts", **back), f"已裁决 {len(given)} 项冲突", f"{len(given)} conflicts settled")


def _given(conflict_id: str, choice: str) -> dict[str, Any]:
    """What was chosen for one conflict, as the API takes it."""
    version = request.form.get(f"version.{conflict_id}", "")
    resolution = {"id": conflict_id, "version": int(version) if version.isdecimal() else 0, "choice": choice}
    if choice == "value":
        with reading():
            fields = visible_record(db.session(), me().scopes, "conflict", conflict_id).fields
            asked = _input(fields)
        if asked is None:
            raise Problem("choice_invalid", "此处没有第三个值 There is no third value here")
        resolution["value"] = typed(asked, request.form.get(f"value.{conflict_id}", ""))
    return resolution


def _input(fields: Mapping[str, Any]) -> Any:
    return input_of(fields["record_type"], fields["field"], fields["kind"], [fields.get("theirs"), fields.get("mine")],
                    me().scopes)


def _people() -> list[User]:
    """The active people who work in the person's scopes."""
    rows = db.session.execute(select(User).where(User.active.is_(True)).order_by(User.username)).scalars()
    return [user for user in rows if any(covers(me().scopes, scope) for scope in user.scopes)]


def _records(ids: list[str]) -> dict[str, Kept]:
    rows = db.session.execute(select(RECORD).where(RECORD.c.id.in_(ids))).mappings()
    return {row["id"]: kept_from(row) for row in rows}


def _shown(item: dict[str, Any], kept: Kept | None) -> dict[str, Any]:
    conflicts = [_conflict(item["record_type"], one) for one in item["conflicts"]]
    return {**item, "kept": kept, "conflicts": conflicts, "may_settle": any(one["may_settle"] for one in conflicts)}


def _conflict(record_type: str, one: dict[str, Any]) -> dict[str, Any]:
    """A conflict with its two sides: who brought which value on which device, when he made it, when it arrived."""
    sides = [{"choice": choice, "value": one[choice], "wins": one["winner"] == choice,
              "who": by.get("user_id") or by.get("writer"), "device": by.get("device_id") or by.get("writer"),
              "made_at": by.get("made_at"), "at": by.get("at")}
             for choice, by in (("theirs", one["theirs_by"] or {}), ("mine", one["mine_by"]))]
    moved_on = one["kind"] in ("value", "scope") \
        and not any(same(one["present"], one[choice]) for choice in ("theirs", "mine"))
    return {**one, "sides": sides, "apart_m": apart_m(one["theirs"], one["mine"]), "moved_on": moved_on,
            "input": _input({**one, "record_type": record_type})}
