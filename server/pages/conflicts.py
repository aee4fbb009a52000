"""Conflicts: all values side by side with their authors and what stands now; those of a record settled in one go."""

from __future__ import annotations

from itertools import combinations
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
from server.pages.inputs import Input, input_of, typed
from server.pages.lookups import learn_names
from server.pages.questions import Question, mark_standing, questions, resolutions
from server.pages.values import apart_m
from sync.conflicts import may_settle
from sync.kept import Kept, kept_from
from sync.records import RECORD
from sync.writers import covers

PAGE = 20
AGES_H = (24, 72, 168)
PARTIAL = {"person", "older_than_h"}  # filters that let through some conflicts of a record, and others not
MOST = 200  # resolutions in one call
LONGEST_NUMBER = 16


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
        items = list(map(_whole, page["items"])) if PARTIAL & set(asked) else page["items"]
        found = _records([item["record_id"] for item in items])
        shown = [_shown(item, found.get(item["record_id"])) for item in items]
        learn_names(who for item in shown for one in item["questions"] for answer in one["answers"]
                    for by in answer.by for who in (by["who"], by["device"]))
        filters = {name: value for name, value in asked.items() if name != "cursor"}
        return render_template("conflicts.html", items=shown, page=page, asked=filters, people=_people(),
                               back={name: value for name, value in filters.items() if name != "record_id"},
                               types=[name for name, one in RECORD_TYPES.items() if one.origin != "server"],
                               ages=AGES_H)


@bp.post("/conflicts/<record_id>")
def resolve(record_id: str) -> Response:
    """Settle what was chosen on one record's card, all or none; the rule of the engine says who may."""
    ids = [key.partition(".")[2] for key in request.form if key.startswith("version.")]
    with reading():
        given = [one for question in questions(map(_looked_at, ids)) for one in _given(question)][:MOST]
    if not given:
        raise Problem("choice_invalid", "请先选择要保留的值 Choose a value first")
    seen = {"record_version": _number("seen")} if request.form.get("seen") else {}
    settle(record_id, loaded(Resolutions(), {"resolutions": given, **seen}))
    back = {name: value for name in (*FILTERS, "older_than_h") if (value := request.args.get(name))}
    return done(url_for("pages.conflicts", **back), f"已裁决 {len(given)} 项冲突", f"{len(given)} conflicts settled")


def _looked_at(conflict_id: str) -> dict[str, Any]:
    """A conflict as it stands, under the version in which it was looked at."""
    kept = visible_record(db.session(), me().scopes, "conflict", conflict_id)
    return {**kept.fields, "id": conflict_id, "version": _number(f"version.{conflict_id}"),
            "may_settle": may_settle(kept.fields, me().writer())}


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isdecimal() and len(text) < LONGEST_NUMBER else 0


def _given(question: Question) -> list[dict[str, Any]]:
    """What was chosen for the conflicts of a question, as the API takes it; of those alone that the person may settle,
    where he may settle some."""
    choice = request.form.get(f"choice.{question.id}")
    if not choice:
        return []
    answer = None if choice == "value" else question.answer(choice)
    if choice != "value" and answer is None:
        raise Problem("choice_invalid", "没有这个选项 There is no such choice")
    settled = list(resolutions(question, answer.value if answer else _third(question)))
    his = [told for told, one in zip(settled, question.conflicts, strict=True) if one["may_settle"]]
    return his or settled


def _third(question: Question) -> Any:
    asked = _input(question)
    if asked is None:
        raise Problem("choice_invalid", "此处没有第三个值 There is no third value here")
    name = f"value.{question.id}"
    parts = {"": name, "empty": f"{name}.empty", **{part: f"{name}.{part}" for part in asked.draft if part}}
    return typed(asked, {part: request.form[key] for part, key in parts.items() if key in request.form})


def _input(question: Question) -> Input | None:
    return input_of(question.conflicts[0]["record_type"], question.field, question.kind,
                    [answer.value for answer in question.answers], me().scopes)


def _people() -> list[User]:
    """The active people who work in the person's scopes."""
    rows = db.session.execute(select(User).where(User.active.is_(True)).order_by(User.username)).scalars()
    return [user for user in rows if any(covers(me().scopes, scope) for scope in user.scopes)]


def _records(ids: list[str]) -> dict[str, Kept]:
    rows = db.session.execute(select(RECORD).where(RECORD.c.id.in_(ids))).mappings()
    return {row["id"]: kept_from(row) for row in rows}


def _whole(item: dict[str, Any]) -> dict[str, Any]:
    """A record with all of its open conflicts: half of a question is no question."""
    page = conflict_page(db.session(), me().writer(), {"record_id": item["record_id"]}, 1, house().clock())
    return page["items"][0] if page["items"] else item


def _shown(item: dict[str, Any], kept: Kept | None) -> dict[str, Any]:
    conflicts = [{**one, "record_type": item["record_type"]} for one in item["conflicts"]]
    asked = [_asked(question, kept) for question in questions(conflicts)]
    return {**item, "kept": kept, "questions": asked, "may_settle": any(one["may_settle"] for one in conflicts)}


def _asked(question: Question, kept: Kept | None) -> dict[str, Any]:
    """A question as the page shows it: its answers, what stands now, how far apart two places are."""
    present, answers, conflicts = question.conflicts[0]["present"], question.answers, question.conflicts
    mark_standing(question, present, kept)
    apart = [metres for one, other in combinations(answers, 2)
             if (metres := apart_m(one.value, other.value)) is not None]
    return {"id": question.id, "kind": question.kind, "field": question.field, "base": question.base,
            "conflicts": conflicts, "answers": answers, "present": present, "apart_m": max(apart, default=None),
            "moved_on": kept is not None and not any(answer.stands for answer in answers),
            "may_settle": [one["may_settle"] for one in conflicts], "input": _input(question)}
