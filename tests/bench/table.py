"""What a benchmark says: rows of one Markdown table, the machine it ran on, and rounds that treat all alike."""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

Prepared = tuple[int, Callable[[], object]]
Rates = dict[str, list[float]]


class Row(NamedTuple):
    """One line: what was measured, its figure, and what it is beside the others of the same run."""

    what: str
    figure: str
    beside: str = ""


def heading(engine: str) -> list[str]:
    """Date, machine and versions, and the head of the table."""
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    return [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({cpu}), "
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, engine {engine}", "",
            "| what | figure | beside the others of this run |", "|---|---|---|"]


def interleaved(rounds: int, works: Mapping[str, Callable[[int], Prepared]]) -> Rates:
    """Units a second of each work in each round. The works take turns, so that a noisy machine hits all alike.

    A work is called with the round's number, prepares what is not measured, and gives (units, what is measured).
    """
    rates: Rates = {name: [] for name in works}
    for number in range(rounds):
        for name, prepare in works.items():
            units, work = prepare(number)
            rates[name].append(units / timed(work))
    return rates


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work took, while this process collects no garbage: it holds the documents of all contenders, and
    to walk them would cost more than what is measured."""
    collects = gc.isenabled()
    gc.disable()
    try:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began
    finally:
        if collects:
            gc.enable()


def median_ratio(rates: Rates, one: str, other: str) -> float:
    """The median of the rounds' ratios: each round compares neighbours in time."""
    return statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True))


def beside(rates: Rates, name: str, wanted: Mapping[str, float]) -> str:
    """The ratios of one work to all others of the run, with what is wanted where something is."""
    said = []
    for other in rates:
        if other != name:
            aim = f" (wanted {wanted[other]:g})" if other in wanted else ""
            said.append(f"{median_ratio(rates, name, other):.2f} x {other}{aim}")
    return ", ".join(said)


def spread(figures: list[float], unit: str) -> str:
    """The median, with the lowest and the highest round behind it."""
    lowest, highest = min(figures), max(figures)
    return f"{statistics.median(figures):,.0f} {unit} ({lowest:,.0f} to {highest:,.0f})"
