"""What a command on a finding needs before it is allowed: the `needs` codes of states.csv as functions.

Pure over the finding's fields, the command's arguments, the person and the circumstances. Serves lifecycle.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.values import is_day_or_time, parse_time
from server.reference import class_known, settings

LONGEST_TEXT = 4000
PLACES = ("position", "address", "sticker_serial")
REVIEW_DATES = ("review_date", "review_at")


@dataclass(frozen=True)
class Person:
    """Who asks. `unit`: where the person works, if the bureau has units; `own`: the finding is the person's."""

    user_id: str
    roles: frozenset[str]
    scopes: tuple[str, ...] = ()
    unit: str | None = None
    own: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a command is not allowed: a stable code, a sentence in Chinese then English, and the need that is not met."""

    code: str
    detail: str
    need: str | None = None


@dataclass(frozen=True)
class Move:
    """A command as asked. `context`: now (aware datetime), has_after_photo, scope, settings (over lifecycle.json)."""

    fields: Mapping[str, Any]
    command: str
    args: Mapping[str, Any]
    person: Person
    context: Mapping[str, Any]

    @property
    def now(self) -> datetime:
        now: datetime = self.context["now"]
        return now

    @property
    def handling(self) -> Mapping[str, Any]:
        """The finding's server field that keeps what commands did: handlers, check, pauses, extensions, limit."""
        return self.fields.get("handling") or {}

    def setting(self, name: str) -> Any:
        return {**settings("lifecycle"), **self.context.get("settings", {})}[name]

    def text(self, *names: str) -> str | None:
        """The first argument of these names that is a text worth keeping."""
        for name in names:
            value = self.args.get(name)
            if isinstance(value, str) and value.strip() and len(value) <= LONGEST_TEXT and "\0" not in value:
                return value.strip()
        return None


def unmet(need: str, move: Move) -> Refusal | None:
    """None when the need is met; raises KeyError for a code that this house does not know."""
    met, code, chinese, english = NEEDS[need]
    if met(move):
        return None
    return Refusal(code, f"{chinese}。{english}.", need if code == "need_missing" else None)


def class_of(move: Move) -> tuple[Any, Any]:
    """(scheme, code) that the finding has, or gets by this command."""
    fields = move.fields
    return (
        move.text("class_scheme") or fields.get("class_scheme"),
        move.text("class_code") or fields.get("class_code"),
    )


def has_handled(move: Move) -> bool:
    """True for who took the case up or replied to it, and for who reported it as handled by himself (自行处置)."""
    handlers = move.handling.get("handled_by") or ()
    finder = move.person.own or move.person.user_id == move.fields.get("inspector_id")
    return move.person.user_id in handlers or bool(move.fields.get("self_handled") and finder)


def _is_of_the_unit(move: Move) -> bool:
    unit = move.fields.get("unit")
    return bool(unit) and unit in (move.person.unit, move.person.user_id)


def _has_class(move: Move) -> bool:
    scheme, code = class_of(move)
    kept = scheme == move.fields.get("class_scheme") and code == move.fields.get("class_code")
    return bool(scheme and code) and (kept or class_known(scheme, code))


def _has_zone_settled(move: Move) -> bool:
    zone = move.fields.get("zone") or {}
    return bool(zone.get("decision") != "ambiguous" or zone.get("method") == "person")


def _is_not_expired(move: Move) -> bool:
    due = move.fields.get("due_at")
    return not due or move.now <= parse_time(due)


def _has_extensions_left(move: Move) -> bool:
    return len(move.handling.get("extensions") or ()) < int(move.setting("extensions_most"))


def _has_check_passed(move: Move) -> bool:
    return (move.handling.get("check") or {}).get("result") == "pass"


def _has_zone_choice(move: Move) -> bool:
    return "zone_id" in move.args and isinstance(move.args["zone_id"], str | None)


Need = tuple[Callable[[Move], bool], str, str, str]
MISSING = "need_missing"
NEEDS: dict[str, Need] = {
    "place": (
        lambda move: any(move.fields.get(name) for name in PLACES),
        MISSING,
        "缺少地点",
        "A position, an address or a sticker is needed",
    ),
    "reason": (lambda move: move.text("reason") is not None, MISSING, "缺少理由", "A reason is needed"),
    "class": (_has_class, MISSING, "缺少已知类别", "A known class is needed"),
    "condition": (
        lambda move: bool(move.text("condition") or move.fields.get("condition")),
        MISSING,
        "缺少立案条件",
        "A filing condition is needed",
    ),
    "zone_settled": (
        _has_zone_settled,
        MISSING,
        "责任区待人工认定",
        "The zone is ambiguous: a person has to choose it first",
    ),
    "unit": (lambda move: move.text("unit") is not None, MISSING, "缺少处置单位", "A responsible unit is needed"),
    "not_expired": (
        _is_not_expired,
        MISSING,
        "处置时限已过,不能延期",
        "An extension has to be asked before the limit expires",
    ),
    "extensions_left": (_has_extensions_left, MISSING, "延期次数已用完", "No further extension is allowed"),
    "review_date": (
        lambda move: is_day_or_time(move.text(*REVIEW_DATES)),
        MISSING,
        "缺少复查日期",
        "A review date, a day or an RFC 3339 time, is needed",
    ),
    "after_photo_on_reply": (
        lambda move: bool(move.context.get("has_after_photo")),
        MISSING,
        "反馈须有处置后照片,返工或重新立案后须重拍",
        "A reply needs evidence of role after, newer than a failed check or a reopening",
    ),
    "check_passed": (_has_check_passed, MISSING, "尚无核查通过的结果", "A passed check after the last reply is needed"),
    "zone_choice": (_has_zone_choice, MISSING, "缺少 zone_id", "A zone_id, or null for none, is needed"),
    "not_handler": (
        lambda move: not has_handled(move),
        "own_handling",
        "处置人不得核查或结案",
        "Who handled it never checks or closes it",
    ),
    "not_unit": (
        lambda move: not _is_of_the_unit(move),
        "own_unit",
        "处置单位不得自行结案",
        "A unit never closes its own case",
    ),
}
