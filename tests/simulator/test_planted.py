"""Bugs planted into the engine are caught within 2,000 schedules: the simulator has teeth."""

from __future__ import annotations

import pytest

from tests.simulator import runs
from tests.simulator.planted import PLANTED


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"no_lock"}))  # that one needs PostgreSQL: test_crowd
def test_a_planted_bug_is_caught(name):
    schedules, failure = runs.caught(name, 2000)
    assert failure is not None, f"{PLANTED[name].says}: unnoticed in {schedules} schedules"
