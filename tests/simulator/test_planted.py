"""Bugs planted into the engine are caught within 2,000 schedules: the simulator has teeth."""

from __future__ import annotations

import pytest

from tests.simulator import runs
from tests.simulator.planted import PLANTED

# Where the schedules of a bug begin, when from seed 0 it takes a minute longer (docs/simulator.md counts from 0).
FIRST = {"cursor_before_page": 200, "fork_unnoticed": 60, "resnapshot_empties_outbox": 60}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"no_lock"}))  # that one needs PostgreSQL: test_crowd
def test_a_planted_bug_is_caught(name):
    schedules, failure = runs.caught(name, 2000, FIRST.get(name, 0))
    assert failure is not None, f"{PLANTED[name].says}: unnoticed in {schedules} schedules"
