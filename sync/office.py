"""One mutation of a person on the web: the same door as a device's, but what is not applied becomes a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.problems import Problem
from schemas.push import Mutation
from schemas.records import record_type
from sync import held
from sync.mutations import apply
from sync.outcomes import Outcome, Waits
from sync.records import Door
from sync.writers import Writer


def write(door: Door, writer: Writer, mutation: Mutation) -> Outcome:
    """Carry out a person's mutation and what waited for it; raises a Problem when it was not applied."""
    declared = record_type(mutation.type)
    if mutation.op == "put" and mutation.base == 0 and declared.origin == "server":
        raise Problem("not_creatable", f"a {declared.name} is made by the server")
    before = door.gate.seq
    try:
        outcome = apply(door, writer, mutation)
    except Waits as waits:
        raise Problem("not_found" if waits.record_id == mutation.record_id else "record_missing",
                      f"record {waits.record_id} is not there") from None
    door.flush()
    held.settle_arrived(door, before)
    return outcome


def refused(outcome: Outcome, mutation: Mutation) -> Problem | None:
    """The problem of an outcome that did not apply: a lost command, or an edit of a deleted record."""
    if outcome.outcome != "conflicted" or not (mutation.op == "command" or outcome.record.deleted):
        return None
    if mutation.op == "delete":
        return None
    code = "state_moved" if mutation.op == "command" else "conflict"
    return Problem(code, "另一人已先作更改 somebody else was first", conflict_id=outcome.conflicts[0],
                   conflicts=outcome.conflicts, record=outcome.record.to_wire())


def shown(outcome: Outcome) -> Mapping[str, Any]:
    """The answer of protocol section 4a; `ignored` names the fields that a client's value does not change."""
    answer = {"outcome": outcome.outcome, "record": outcome.record.to_wire(), "conflicts": outcome.conflicts}
    return {**answer, "ignored": outcome.ignored} if outcome.ignored else answer
