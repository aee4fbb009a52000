"""What a command does to the handling limit of a finding: the `limit_` and `all_` codes of states.csv as functions.

Each gives changes of `due_at` and of the server field `handling`. The clocks of the other stages (accept, filing,
dispatch, check, closing) change no field: indicators read them from the record's history. Serves lifecycle.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from schemas.values import parse_time, stamp
from server.reference import Limit, condition, conditions, hours, workdays
from server.rules.needs import REVIEW_DATES, Move, class_of
from server.rules.worktime import Due, due_at, resumed

Changes = dict[str, Any]  # `due_at` and `unit` beside keys of `handling`


def clock_changes(code: str, move: Move) -> Changes:
    """The changes that one clock code makes; a code without a rule here makes none."""
    rule = CLOCKS.get(code)
    return rule(move) if rule else {}


def limit_of(move: Move) -> Limit:
    """The handling limit of the finding's condition; of its class, or of the settings, where that is not listed."""
    scheme, code = class_of(move)
    of_set = move.setting("condition_set")
    named = move.text("condition") or move.fields.get("condition")
    found = condition(str(scheme), str(code), str(named), of_set=of_set)
    listed = [found] if found else conditions(str(scheme), str(code), of_set=of_set)
    return listed[0].limit if listed else Limit(**move.setting("limit_where_none_is_listed"))


def _limit_start(move: Move) -> Changes:
    limit = limit_of(move)
    due = _after(move, move.now, limit)
    began = {"limit": {"amount": limit.amount, "unit": limit.unit}, "limit_from": stamp(move.now)}
    return {**_due(due), **began, "extensions": []}


def _limit_again(move: Move) -> Changes:
    """After a failed check: the limit anew, or the old due date, as the city has it."""
    return _limit_start(move) if move.setting("rework") == "restart" else {}


def _limit_void(move: Move) -> Changes:
    return {"due_at": None, "due_provisional": False, "limit": None}


def _all_new(move: Move) -> Changes:
    return {**_limit_void(move), "unit": None, "extensions": [], "pauses": []}


def _limit_extend(move: Move) -> Changes:
    """To the time that was asked for, or by the limit once more."""
    asked = _later_time(move)
    before = _due_before(move)
    due = Due(asked, False) if asked else _after(move, before, _running_limit(move))
    extension = {"at": stamp(move.now), "from": stamp(before), "to": stamp(due.at), "by": move.person.user_id}
    return {**_due(due), "extensions": [*(move.handling.get("extensions") or ()), extension]}


def _limit_pause(move: Move) -> Changes:
    pause = {
        "from": stamp(move.now),
        "to": None,
        "reason": move.text("reason"),
        "review_date": move.text(*REVIEW_DATES),
    }
    return {"pauses": [*(move.handling.get("pauses") or ()), pause]}


def _limit_resume(move: Move) -> Changes:
    *earlier, last = move.handling.get("pauses") or [{"from": stamp(move.now)}]
    pauses = [*earlier, {**last, "to": stamp(move.now)}]
    if not move.fields.get("due_at"):
        return {"pauses": pauses}
    paused_at, unit = parse_time(last["from"]), _running_limit(move).unit
    before = _due_before(move)
    due = resumed(before, paused_at, move.now, unit, workdays(), hours(_scope(move)))
    later = Due(max(before, due.at), due.provisional)  # a due date granted outside working time never moves back
    return {**_due(later), "pauses": pauses}


def _after(move: Move, start: datetime, limit: Limit) -> Due:
    return due_at(start, limit.amount, limit.unit, workdays(), hours(_scope(move)))


def _running_limit(move: Move) -> Limit:
    limit = move.handling.get("limit")
    return Limit(limit["amount"], limit["unit"]) if limit else limit_of(move)


def _due_before(move: Move) -> datetime:
    due = move.fields.get("due_at")
    return parse_time(due) if due else move.now


def _later_time(move: Move) -> datetime | None:
    """The argument `due_at`, if it is a time after the present due date."""
    text = move.text("due_at")
    try:
        asked = parse_time(text) if text else None
    except ValueError:
        return None
    return asked if asked and asked > _due_before(move) else None


def _due(due: Due) -> Changes:
    return {"due_at": stamp(due.at), "due_provisional": due.provisional}


def _scope(move: Move) -> str:
    return str(move.context.get("scope") or "")


CLOCKS: dict[str, Callable[[Move], Changes]] = {
    "limit_start": _limit_start,
    "limit_again": _limit_again,
    "limit_void": _limit_void,
    "limit_extend": _limit_extend,
    "limit_pause": _limit_pause,
    "limit_resume": _limit_resume,
    "all_new": _all_new,
}
