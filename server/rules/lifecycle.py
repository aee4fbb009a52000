"""The life of a finding: which command is allowed from which state, to whom, and what it changes (domain.md 4.0).

Driven wholly by `server/reference/states.csv`; what is not in the table is refused. What commands did beside status,
unit and due date stands in the finding's server field `handling`:

    handled_by [user id]   who took the case up or replied          check {result, by, at, reason?} | null
    limit {amount, unit}   limit_from, due_provisional              pauses [{from, to, reason, review_date}]
    extensions [{at, from, to, by}]                                 handled_at, status_at, reason, relapse_of
    round_from                                                      when work was asked for again

Serves server/trade/finding.py. Pure: time comes in `context["now"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.values import is_uuid, stamp
from server.reference import Step, states
from server.rules.clocks import clock_changes
from server.rules.needs import Move, Person, Refusal, unmet

__all__ = ["Person", "Refusal", "Transition", "allowed_commands", "decide", "is_command"]

FINDING_FIELDS = {
    "status",
    "unit",
    "due_at",
    "condition",
    "class_scheme",
    "class_code",
}  # the rest stands in `handling`
HANDS = frozenset({"inspector", "auxiliary"})


@dataclass(frozen=True)
class Transition:
    """An allowed command: the next status and all fields to change. With `choose_zone` the caller sets the zone too."""

    status: str
    changes: dict[str, Any]
    choose_zone: bool = False


def decide(
    fields: Mapping[str, Any], command: str, args: Mapping[str, Any], person: Person, context: Mapping[str, Any]
) -> Transition | Refusal:
    """What the table says to a command. `context`: now (aware datetime); where known: has_after_photo, scope, settings.

    Refusal codes: command_unknown, state_moved, role_forbidden, own_handling, own_unit, need_missing (with the need).
    """
    move = Move(fields, command, args, person, context)
    step = _step(move)
    if isinstance(step, Refusal):
        return step
    if not may_act(step, move):
        said = f"当前角色无权执行“{step.name_cn}”。{command} is for {', '.join(step.roles)}."
        return Refusal("role_forbidden", said)
    for need in step.needs:
        refusal = unmet(need, move)
        if refusal:
            return refusal
    return Transition(step.next_state, _changes(step, move), command == "choose_zone")


def is_command(name: str) -> bool:
    """Is there such a command of findings, in whatever state?"""
    return any(state and command == name for state, command in states())


def allowed_commands(fields: Mapping[str, Any], person: Person, context: Mapping[str, Any]) -> list[Step]:
    """The steps that the person's roles allow from the present state, for a page to offer; needs are not looked at."""
    steps = [step for (state, _), step in states().items() if state and state == fields.get("status")]
    return [step for step in steps if may_act(step, Move(fields, step.command, {}, person, context))]


def may_act(step: Step, move: Move) -> bool:
    """Whether one of the person's roles is among those of the step."""
    person = move.person
    if person.roles.intersection(step.roles):
        return True
    finder = person.own or person.user_id == move.fields.get("inspector_id")
    return ("assignee" in step.roles and bool(person.roles & HANDS) and _is_assigned(move)) or (
        "finder" in step.roles and "inspector" in person.roles and finder
    )


def _step(move: Move) -> Step | Refusal:
    status = move.fields.get("status")
    step = states().get((status, move.command)) if isinstance(status, str) and status else None
    if step:
        return step
    if not is_command(move.command):
        return Refusal("command_unknown", f"无此命令。A finding has no command {str(move.command)[:40]!r}.")
    return Refusal("state_moved", f"当前状态不允许此操作。{move.command} is not allowed from the state {status}.")


def _is_assigned(move: Move) -> bool:
    """Of the unit: named as it, without units at all, covered by it as a scope code, or named in person."""
    unit, person = move.fields.get("unit"), move.person
    if not isinstance(unit, str) or not unit:
        return False
    if is_uuid(unit):
        return unit == person.user_id
    return (
        unit in (person.unit, person.user_id) or not person.unit or any(one.startswith(unit) for one in person.scopes)
    )


def _changes(step: Step, move: Move) -> dict[str, Any]:
    found: dict[str, Any] = {"status": step.next_state}
    if step.next_state != step.state:
        found["status_at"] = stamp(move.now)
    for code in step.effects:
        found |= EFFECTS[code](move)
    for code in step.clocks:
        found |= clock_changes(code, move)
    if "limit_stop" in step.clocks:
        found["handled_at"] = stamp(move.now)
    handling = {key: value for key, value in found.items() if key not in FINDING_FIELDS}
    changes = {key: value for key, value in found.items() if key in FINDING_FIELDS}
    return {**changes, "handling": {**move.handling, **handling}} if handling else changes


def _class(move: Move) -> dict[str, Any]:
    return {name: move.text(name) for name in ("class_scheme", "class_code") if move.text(name)}


def _handler(move: Move) -> dict[str, Any]:
    return {"handled_by": list(dict.fromkeys([*(move.handling.get("handled_by") or ()), move.person.user_id]))}


def _check(result: str) -> Callable[[Move], dict[str, Any]]:
    def record(move: Move) -> dict[str, Any]:
        check = {"result": result, "by": move.person.user_id, "at": stamp(move.now), "reason": move.text("reason")}
        return {"check": check}

    return record


EFFECTS: dict[str, Callable[[Move], dict[str, Any]]] = {
    "class": _class,
    "condition": lambda move: {"condition": move.text("condition") or move.fields.get("condition")},
    "unit": lambda move: {"unit": move.text("unit")},
    "no_unit": lambda move: {"unit": None},
    "handler": _handler,
    "check_pass": _check("pass"),
    "check_fail": _check("fail"),
    "new_round": lambda move: {"round_from": stamp(move.now)},
    "no_check": lambda move: {"check": None},
    "relapse": lambda move: {"relapse_of": move.text("relapse_of")},
    "reason": lambda move: {"reason": move.text("reason")},
    "zone_choice": lambda move: {},
}
