"""The simulator itself: one seed is one trace, a script is read as it was written, shrinking keeps the failure."""

from __future__ import annotations

import hashlib
from collections import Counter

from tests.simulator import runs
from tests.simulator.script import Script, shrink


def trace(here, seed):
    """Counts and a digest of all that the server keeps of a schedule."""
    counts = Counter()
    assert here.play(Script.drawn(seed), counts) is None
    rows = [here.server.read(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("history", "receipt", "quarantine")]
    return counts, hashlib.sha256(repr(rows).encode()).hexdigest()


def test_one_seed_is_one_trace():
    with runs.stage() as here:
        first = [trace(here, seed) for seed in (3, 4)]
    with runs.stage() as here:
        assert [trace(here, seed) for seed in (4, 3)] == first[::-1]


def test_a_script_is_read_as_it_was_written(tmp_path):
    script = Script.drawn(7)
    (tmp_path / "script.json").write_text(script.text())
    assert Script.read(tmp_path / "script.json") == script


def test_shrinking_leaves_the_steps_that_the_failure_needs():
    script = Script.drawn(11)
    needed = set(script.steps[3:20:8])
    found = shrink(script, lambda fewer: needed <= set(fewer.steps))
    assert set(found.steps) == needed


def test_a_planted_bug_is_told_with_seed_promise_and_script():
    with runs.planted("group_by_halves"):
        tally = runs.run(range(50))
    [failure] = tally.failures
    assert failure.promise == "a_group_wholly_or_not_at_all"
    assert f"seed {failure.script.seed}" in failure.text() and "\"do\":\"group\"" in failure.text()
    assert len(failure.script.steps) < 8
