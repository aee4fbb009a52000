"""Which statuses records of a type can have, for filters and frames: an unknown one is named, not silently matched."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from schemas.problems import Problem
from server.reference import known_scope, states
from server.trade.incident import STATUSES
from server.trade.office import STEPS


@cache
def statuses() -> dict[str, frozenset[str]]:
    """The statuses of each type that has any."""
    return {"finding": frozenset(step.next_state for step in states().values()),
            "task": frozenset([*(state for state, _ in STEPS), *STEPS.values()]),
            "enforcement": frozenset({"draft", "issued", "concluded"}),
            "letter": frozenset({"draft", "signed", "refused"}),
            "conflict": frozenset({"open", "resolved"}), "incident": frozenset(STATUSES)}


def must_be_statuses(given: Iterable[str], record_name: str | None, path: str = "status") -> None:
    """Raise `status_unknown` for what is no status of the type, or of any type where none is named."""
    known = statuses().get(record_name, frozenset()) if record_name else frozenset().union(*statuses().values())
    unknown = sorted(set(given) - known)
    if unknown:
        whose = f"a {record_name}" if record_name else "any record"
        raise Problem("status_unknown", f"{unknown[0][:40]!r} is no status of {whose}", errors={path: ["unknown"]})


def must_be_scope(code: str, path: str = "scope") -> None:
    """Raise `scope_unknown` for a code that no division has."""
    if not known_scope(code):
        raise Problem("scope_unknown", f"没有此区划代码 no division has the code {code[:40]}",
                      errors={path: ["unknown"]})
