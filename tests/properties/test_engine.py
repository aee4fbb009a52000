"""The laws of merging through the real engine, on both databases: pushes, receipts, history and conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from sync.models import Base
from tests.engines import running_postgres
from tests.properties.acting import Acting, know_things
from tests.properties.edits import SCRIPT
from tests.sync.desk import Desk

QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@pytest.fixture(autouse=True)
def _things(monkeypatch: pytest.MonkeyPatch) -> None:
    know_things(monkeypatch)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def wild(writer: str, number: int) -> str:
    """A device's clock that jumps by years, each device's in its own way."""
    return f"{1990 + (number * 37 + len(writer) * 11) % 80}-0{1 + number % 9}-01T00:00:00.000Z"


def on(folder: Path, url: str | None = None) -> Desk:
    """An empty engine, in a file or in this PostgreSQL."""
    if url:
        engine = create_engine(url)
        Base.metadata.drop_all(engine)
        engine.dispose()
    return Desk(folder, url=url)


@settings(max_examples=20, **QUIET)
@given(script=SCRIPT)
def test_row_history_and_conflicts_are_what_the_protocol_says(tmp_path_factory, script):
    acting = Acting(on(tmp_path_factory.mktemp("engine")))
    acting.carry_out(script)
    acting.check()


@pytest.mark.postgres
@settings(max_examples=4, **QUIET)
@given(script=SCRIPT)
def test_row_history_and_conflicts_are_the_same_on_postgresql(tmp_path_factory, postgres, script):
    acting = Acting(on(tmp_path_factory.mktemp("engine"), postgres))
    acting.carry_out(script)
    acting.check()
    beside = Acting(on(tmp_path_factory.mktemp("beside")))
    beside.carry_out(script)
    assert acting.dump() == beside.dump()
    acting.desk.engine.dispose()


@settings(max_examples=10, **QUIET)
@given(script=SCRIPT)
def test_clocks_change_no_winner(tmp_path_factory, script):
    ends = []
    for clock in (wild, lambda writer, number: wild(writer[::-1] + "x", 9 - number % 9)):
        acting = Acting(on(tmp_path_factory.mktemp("clocks")), clock)
        acting.carry_out(script)
        ends.append(acting.dump())
    assert ends[0] == ends[1]


@settings(max_examples=10, **QUIET)
@given(script=SCRIPT, again=st.lists(st.tuples(st.just("replay"), st.sampled_from(["anna", "bo"]),
                                               st.integers(0, 20), st.integers(1, 20)), max_size=5))
def test_replays_in_any_interleaving_change_nothing_and_answer_the_same(tmp_path_factory, script, again):
    once = [step for step in script if step[0] != "replay"]
    ends = []
    for steps in (once, [*script, *again]):
        acting = Acting(on(tmp_path_factory.mktemp("replays")))
        acting.carry_out(steps)
        ends.append(acting.dump())
    assert ends[0] == ends[1]


POISON = st.sampled_from([{"type": "nothing"}, {"set": {"observed_at": "yesterday"}}, {"op": "burn"},
                          {"scope": "999"}])


@settings(max_examples=15, **QUIET)
@given(members=st.lists(st.one_of(st.none(), POISON), min_size=1, max_size=6), alone=st.integers(0, 2))
def test_a_group_wholly_or_not_at_all(tmp_path_factory, members, alone):
    desk = on(tmp_path_factory.mktemp("groups"))
    writer = desk.device()
    group = desk.uuid()
    grouped = [{**desk.finding(text=f"member {place}"), "group": group, **(poison or {})}
               for place, poison in enumerate(members)]
    others = [desk.finding(text=f"alone {place}") for place in range(alone)]
    outcomes = desk.push(writer, *others, *grouped, desk.finding(text="after"))
    middle = outcomes[alone:-1]
    taken = not any(members)
    assert {outcome["outcome"] for outcome in middle} == {"applied" if taken else "quarantined"}
    assert {outcome["outcome"] for outcome in (*outcomes[:alone], outcomes[-1])} == {"applied"}
    assert all((desk.record(one["record_id"]) is not None) == taken for one in grouped)
    if not taken:
        failed = next(place for place, poison in enumerate(members) if poison)
        codes = [outcome["problem"]["code"] for outcome in middle]
        assert [code == "group_failed" for code in codes] == [place != failed for place in range(len(codes))]
    desk.engine.dispose()
