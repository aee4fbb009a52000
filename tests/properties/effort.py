"""What a piece of work costs, counted and not clocked: calls of Python and steps of SQLite's machine.

Counts do not depend on how busy a machine is, so that "the cost of the n-th edit is flat" can be asserted as a ratio.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

STEPS = 100


@dataclass
class Effort:
    """Calls in Python and C, and SQLite's steps in hundreds."""

    calls: int = 0
    steps: int = 0

    def within(self, factor: float, other: Effort) -> bool:
        return self.calls <= factor * other.calls + 50 and self.steps <= factor * other.steps + 20


@contextmanager
def effort(engine: Engine) -> Iterator[Effort]:
    """Counts while the context lasts, for the SQLite connections that are checked out in it."""
    spent = Effort()

    def step() -> int:
        spent.steps += 1
        return 0

    def watch(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(step, STEPS)

    def leave(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(None, STEPS)

    def call(_frame: Any, what: str, _argument: Any) -> None:
        spent.calls += what in ("call", "c_call")

    event.listen(engine, "checkout", watch)
    event.listen(engine, "checkin", leave)
    sys.setprofile(call)
    try:
        yield spent
    finally:
        sys.setprofile(None)
        event.remove(engine, "checkout", watch)
        event.remove(engine, "checkin", leave)


def peak_of(work: Callable[[], Any]) -> int:
    """The most bytes that Python held at once for a piece of work, above what it held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
