"""The short simulation, in two parts for two cores: every promise holds in every schedule, and everything happened."""

from __future__ import annotations

import pytest

from tests.simulator import runs
from tests.simulator.telling import missing, tell


@pytest.mark.slow
def test_every_promise_holds_in_the_schedules_from_0_to_499():
    tally = runs.run(range(500))
    assert not tally.failures, tell(tally)
    assert missing(tally) == []
