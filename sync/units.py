"""A unit: mutations of one device that are applied all together or not at all; one by itself is a unit, too.

Serves the push and what was held. The caller undoes what was begun when a unit ends in an exception.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from schemas.problems import Problem
from sync.outcomes import Waits
from sync.records import Door

Raw = Mapping[str, Any]
T = TypeVar("T")
log = logging.getLogger(__name__)


class UnitFails(Exception):
    """A mutation of the unit cannot be applied: its number, and why."""

    def __init__(self, n: int, problem: Problem) -> None:
        super().__init__(f"mutation {n}: {problem}")
        self.n, self.problem = n, problem


def apply_unit(door: Door, unit: Sequence[Raw], apply_one: Callable[[Raw], T]) -> dict[int, T]:
    """Apply the mutations in their order, but what one of them refers to before that one; what came of each, by number.

    Raises UnitFails, and Waits for a record that none of them makes.
    """
    done: dict[int, T] = {}
    tried: set[tuple[int, str]] = set()
    waiting = list(unit)
    while waiting:
        raw = waiting.pop(0)
        place = door.savepoint() if waiting or done else None  # of a unit by itself the caller has one
        try:
            done[raw["n"]] = apply_one(raw)
        except Waits as waits:
            if place is None:
                raise
            door.rollback(place)
            wanted = next((one for one in waiting if one.get("record_id") == waits.record_id), None)
            if wanted is None or (raw["n"], waits.record_id) in tried:
                raise
            tried.add((raw["n"], waits.record_id))
            waiting.remove(wanted)
            waiting[:0] = [wanted, raw]
        except Problem as problem:
            raise UnitFails(raw["n"], problem) from problem
        except SQLAlchemyError:
            raise
        except Exception as fault:  # a fault of ours in one mutation may not stop a device's whole outbox
            log.exception("mutation %s was not processed", raw.get("id"))
            raise UnitFails(raw["n"], Problem("not_processed")) from fault
    return done
