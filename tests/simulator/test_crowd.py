"""Truly concurrent writers on a real PostgreSQL: the same promises, whatever the machine lets happen first."""

from __future__ import annotations

import pytest

from tests.engines import running_postgres
from tests.simulator import runs
from tests.simulator.telling import tell

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def test_every_promise_holds_in_two_hundred_crowds(url):
    tally = runs.run(range(200), url=url)
    assert not tally.failures, tell(tally)


def test_writers_without_the_gate_are_caught(url):
    with runs.planted("no_lock"):
        tally = runs.run(range(200), url=url)
    assert tally.failures
