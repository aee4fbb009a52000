"""Procedure: the states table of a finding, checklists, and the tables of timers, forms, indicators and rights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from server.reference.files import Row, document, table


@dataclass(frozen=True)
class Step:
    """A row of states.csv: what a command does from a state. The state of `create` is empty.

    `roles`: roles of protocol.md section 1, besides `assignee` (inspector or auxiliary of the unit) and `finder` (the
    inspector whose finding it is). `needs`, `clocks` and `effects` are codes that server/rules/lifecycle.py knows.
    """

    state: str
    command: str
    roles: tuple[str, ...]
    next_state: str
    needs: tuple[str, ...]
    clocks: tuple[str, ...]
    effects: tuple[str, ...]
    name_cn: str
    name_en: str


@cache
def states() -> dict[tuple[str, str], Step]:
    """The states table by (state, command); what is not in it is refused."""
    return {(row["state"], row["command"]): _step(row) for row in table("states")}


@cache
def enforcement_steps() -> dict[tuple[str, str], Row]:
    """How an enforcement record is concluded and taken up again, by (state, command); an empty `next_state` is the one
    that its facts give."""
    return {(row["state"], row["command"]): row for row in table("enforcement_states")}


@cache
def checklists() -> dict[tuple[str, int], dict[str, Any]]:
    """Checklists by (id, version)."""
    return {(one["id"], one["version"]): one for one in document("checklists")["checklists"]}


def template_known(id: object, version: object) -> bool:
    """True when this version of the checklist is listed; the version is a whole number."""
    return isinstance(id, str) and type(version) is int and (id, version) in checklists()


@cache
def timers() -> dict[str, Row]:
    """Legal periods and money limits by timer."""
    return {row["timer"]: row for row in table("timers")}


@cache
def forms() -> dict[int, Row]:
    """The documents (执法文书) by number."""
    return {int(row["no"]): row for row in table("forms")}


@cache
def indicators() -> dict[str, Row]:
    """Case indicators by name, with numerator, denominator and period basis."""
    return {row["indicator"]: row for row in table("indicators")}


@cache
def rights() -> dict[str, frozenset[str]]:
    """Which roles hold a right outside the states table."""
    return {row["right"]: frozenset(row["roles"].split()) for row in table("rights")}


def _step(row: Row) -> Step:
    roles, needs, clocks, effects = (tuple(row[column].split()) for column in ("roles", "needs", "clocks", "effects"))
    return Step(
        row["state"], row["command"], roles, row["next_state"], needs, clocks, effects, row["name_cn"], row["name_en"]
    )
