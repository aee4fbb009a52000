"""Push and pull of one device beside the raw loop and the peers, in rounds that take turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.bench.contenders import Contender, Kinto, Menqian, Pouch, RawLoop
from tests.bench.documents import BATCH, TEXTS, findings
from tests.bench.table import Prepared, Rates, Row, beside, interleaved, spread, timed

IDLE_PULLS = 100
KINTO_FILL = 3_000
PUSH_WANTED = {"pouchdb-server": 2.0, "raw SQLite loop": 0.3}
PULL_WANTED = {"pouchdb-server": 5.0, "Kinto": 3.0}


def push_rows(ours: Menqian, raw: RawLoop, pouch: Pouch | None, count: int, rounds: int) -> list[Row]:
    """New findings, edits of them, replays; batches of 100."""
    random, size = Random(7), max(count // rounds // BATCH, 1) * BATCH
    documents = [findings(random, size) for _ in range(rounds)]
    sent: list[Any] = []
    batch_ms: list[float] = []

    def creating(one: Menqian | RawLoop | Pouch) -> Callable[[int], Prepared]:
        def prepare(number: int) -> Prepared:
            calls = one.creations(documents[number])
            if one is ours:
                sent.append(calls)
                return size, lambda: batch_ms.extend(timed(partial(ours.send, call)) * 1000 for call in calls)
            return size, lambda: [one.send(call) for call in calls]
        return prepare

    def editing(one: Menqian | Pouch) -> Callable[[int], Prepared]:
        def prepare(number: int) -> Prepared:
            calls = one.edits([f"{random.choice(TEXTS)} {number}" for _ in range(size)])
            return size, lambda: [one.send(call) for call in calls]
        return prepare

    def again(number: int) -> Prepared:
        return size, lambda: [ours.send(call) for call in sent[number]]

    servers = [ours, pouch] if pouch else [ours]
    rates = interleaved(rounds, {
        **{one.name: creating(one) for one in (ours, raw, *servers[1:])},
        **{f"{one.name}, edits": editing(one) for one in servers}, "replays": again})
    created = {name: figures for name, figures in rates.items() if not name.endswith(("edits", "replays"))}
    edited = {name.removesuffix(", edits"): figures for name, figures in rates.items() if name.endswith(", edits")}
    return [*_rows(created, "push of new findings, batches of 100", "mutations/s", PUSH_WANTED,
                   f"; median batch {statistics.median(batch_ms):,.0f} ms"),
            *_rows(edited, "push of edits, batches of 100", "mutations/s", {}),
            Row("menqian: replay of the pushes", spread(rates["replays"], "mutations/s"),
                f"{statistics.median(rates['replays']) / statistics.median(created[ours.name]):.2f} x first push")]


def pull_rows(contenders: Sequence[Contender], count: int, rounds: int) -> list[Row]:
    """First pulls in pages of 1,000, and pulls with nothing to send, after each took the same findings."""
    documents = findings(Random(7), count)
    for one in contenders:
        for call in one.creations(documents[:KINTO_FILL] if one.name == Kinto.name else documents):
            one.send(call)
    counted = {one.name: one.pull() for one in contenders}

    def pulling(one: Contender) -> Callable[[int], Prepared]:
        return lambda _: (counted[one.name], one.pull)

    def idling(one: Contender) -> Callable[[int], Prepared]:
        return lambda _: (IDLE_PULLS, lambda: [one.idle_pull() for _ in range(IDLE_PULLS)])

    pulled = interleaved(rounds, {one.name: pulling(one) for one in contenders})
    idle = interleaved(rounds, {one.name: idling(one) for one in contenders})
    said = ", ".join(f"{number:,} of {name}" for name, number in counted.items())
    return [*_rows(pulled, "first pull, pages of 1,000", "records/s", PULL_WANTED, f"; records: {said}"),
            *_rows(idle, "idle pull", "/s", {})]


def raw_loop(folder: Path) -> RawLoop:
    folder.mkdir(parents=True, exist_ok=True)
    return RawLoop(folder)


def _rows(rates: Rates, what: str, unit: str, wanted: Mapping[str, float], more: str = "") -> list[Row]:
    """A row for each contender; ours says what it is beside the others."""
    ours = Menqian.name
    return [Row(f"{name}: {what}", spread(figures, unit) + (more if name == ours else ""),
                beside(rates, name, wanted) if name == ours else "") for name, figures in rates.items()]
