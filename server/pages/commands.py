"""The commands that a person may give to a record now, with the inputs that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from server.auth import me
from server.db import db
from server.house import house
from server.models import User
from server.pages.lookups import class_name, zone_name
from server.pages.words import words
from server.reference import classes, conditions, enforcement_steps, settings
from server.rules.lifecycle import Person, allowed_commands
from server.trade import documents
from server.trade.incident import COMMANDS, objection
from server.trade.office import STEPS
from server.trade.people import person_of
from sync.kept import Kept
from sync.writers import covers

INPUT_OF = {"reason": "reason", "review_date": "review_date", "unit": "unit", "condition": "condition",
            "class": "class_code", "zone_choice": "zone_id"}
CLASS_KIND = ":event"


@dataclass(frozen=True)
class Offer:
    """One command with its two names and the names of its inputs."""

    name: str
    chinese: str
    english: str
    inputs: tuple[str, ...]
    expects: Mapping[str, Any]


def offers(kept: Kept) -> list[Offer]:
    """What the one who asks may command; the rule still decides when the command comes."""
    if not me().covers(kept.scope) or kept.deleted:
        return []
    expects = {"status": kept.fields["status"]} if kept.fields.get("status") else {}
    if kept.type == "finding":
        person = person_of(me().writer(), own=me().user_id in (kept.created_by, kept.fields.get("inspector_id")))
        return [Offer(step.command, step.name_cn, step.name_en, _inputs(kept, step.needs), expects)
                for step in _allowed(kept, person)]
    if kept.type == "task" and (kept.fields.get("assignee") == me().user_id or me().has_role("supervisor")):
        return [Offer(name, *words()["op", name], ("reason",) if name == "hand_back" else (), expects)
                for status, name in STEPS if status == kept.fields.get("status")]
    if kept.type == "incident":
        return [Offer(name, *words()["incident_op", name], ("reason",), expects) for name, states in COMMANDS.items()
                if kept.fields["status"] in states and objection(kept, name, me().writer()) is None]
    if kept.type == "enforcement":
        return [Offer(name, step["name_cn"], step["name_en"], ("reason",), expects)
                for (state, name), step in enforcement_steps().items()
                if state == kept.fields["status"] and documents.objection(kept, step, me().writer()) is None]
    return []


def choices(kept: Kept, offered: list[Offer]) -> dict[str, list[tuple[str, str]]]:
    """(value, label) pairs of the inputs that are chosen from a list."""
    asked = {name for offer in offered for name in offer.inputs}
    found = {"condition": _conditions, "class_code": _classes, "zone_id": _zones, "unit": _units}
    return {name: choose(kept) for name, choose in found.items() if name in asked}


def arguments(kept: Kept, form: Mapping[str, str]) -> dict[str, Any]:
    """The command's arguments from a form; an input left empty is not given, but for the zone, where it means none."""
    given: dict[str, Any] = {name: form[name].strip() for name in INPUT_OF.values()
                             if name in form and form[name].strip()}
    if "zone_id" in form:
        given["zone_id"] = form["zone_id"] or None
    if "class_code" in given:
        given["class_scheme"], _, given["class_code"] = given["class_code"].rpartition("|")
    return given


def _allowed(kept: Kept, person: Person) -> list[Any]:
    return allowed_commands(kept.fields, person, {"now": house().clock(), "scope": kept.scope})


def _inputs(kept: Kept, needs: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs of a step; what the finding has already is not asked again."""
    has = {"class": bool(kept.fields.get("class_code")), "condition": bool(kept.fields.get("condition"))}
    return tuple(INPUT_OF[need] for need in needs if need in INPUT_OF and not has.get(need))


def _conditions(kept: Kept) -> list[tuple[str, str]]:
    fields = kept.fields
    listed = conditions(str(fields.get("class_scheme")), str(fields.get("class_code")),
                        of_set=settings("lifecycle")["condition_set"])
    return [(one.id, f"{one.filing} ({one.limit.amount} {words()['unit', one.limit.unit][0]})") for one in listed]


def _classes(kept: Kept) -> list[tuple[str, str]]:
    return [(f"{scheme}|{code}", f"{code} {class_name(scheme, code)}") for scheme, code in classes()
            if scheme.endswith(CLASS_KIND) and len(code) > 2]


def _zones(kept: Kept) -> list[tuple[str, str]]:
    zone = kept.fields.get("zone") or {}
    named = [(one["zone_id"], f"{zone_name(one['zone_id'], one['version']) or one['zone_id']} · "
                              f"{one.get('probability') or 0:.0%} · {one.get('distance_m') or 0:.1f} m")
             for one in zone.get("candidates") or ()]
    return [*named, ("", "都不是 none of these")]


def _units(kept: Kept) -> list[tuple[str, str]]:
    """The units of the people who work in the record's scope, and those people by name."""
    people = db.session.execute(select(User).where(User.active.is_(True)).order_by(User.username)).scalars()
    near = [user for user in people if covers(user.scopes, kept.scope)]
    units = [(unit, unit) for unit in dict.fromkeys(user.unit for user in near if user.unit)]
    hands = [(user.id, user.name) for user in near if {"inspector", "auxiliary"} & set(user.roles)]
    return [*units, *hands]


