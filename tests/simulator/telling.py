"""Tells what a run did, and what never happened in it."""

from __future__ import annotations

from tests.simulator.properties import PROMISES
from tests.simulator.runs import Tally
from tests.simulator.script import WEIGHTS
from tests.simulator.seam import FAULTS

OUTCOMES = ("applied", "merged", "conflicted", "held", "quarantined", "replayed")


def tell(tally: Tally) -> str:
    """Rates and counts by kind, then the failures."""
    lines = [f"{tally.schedules} schedules, {tally.schedules / max(tally.seconds, 0.001):.1f} a second and process"]
    for kind in sorted({kind for kind, _ in tally.counts}):
        counts = {name: count for (of, name), count in tally.counts.items() if of == kind}
        shown = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        lines.append(f"{kind} ({sum(counts.values())}): {shown}")
    return "\n".join([*lines, *(failure.text() for failure in tally.failures)])


def missing(tally: Tally) -> list[str]:
    """Steps, faults, outcomes and promises that a long enough run should have met and did not."""
    wanted = [*(("step", name) for name in WEIGHTS), *(("fault", name) for name in (*FAULTS, "device_crash")),
              *(("outcome", name) for name in OUTCOMES), *(("check", name) for name in PROMISES)]
    return [f"{kind} {name}" for kind, name in wanted if not tally.counts[kind, name]]
