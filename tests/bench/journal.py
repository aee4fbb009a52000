"""What the journal alone does: entries sequenced a second, and proofs among so many entries.

The entries are filled in by the engine's own functions, in few and large transactions; nodes and peaks are right, and
each proof that is measured is verified against a checkpoint that the server signed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from schemas.values import stamp
from sync import journal, merkle
from sync.gate import close_gate, open_gate
from sync.journal import Entry
from sync.models import JournalEntry
from sync.notes import read_checkpoint
from tests.bench.deployment import Deployment, deployed
from tests.bench.fill import open_engine
from tests.bench.table import Row, spread, timed
from tests.wire import granted

AT_ONCE, BATCHES, PROOFS = 50_000, (1, 10, 100, 1_000), 300
SEQUENCED_WANTED, PROOF_WANTED_MS = 5_000, 5


def journal_rows(folder: Path, engine: str, entries: int, rounds: int) -> Iterator[Row]:
    """Sequencing in transactions of several sizes, then proofs of random entries, within the engine and over HTTP."""
    with deployed(folder / "journal", engine, zones=False) as deployment:
        database = open_engine(deployment.database_url)
        filled = timed(lambda: _fill(database, entries))
        yield Row(f"filling {entries:,} entries", f"{entries / filled:,.0f} entries/s", "in bulk, for the benchmark")
        for size in BATCHES:
            count = max(size, min(20 * size, 2_000))
            rates = [count / timed(partial(_sequence, database, count, size)) for _ in range(rounds)]
            yield Row(f"entries sequenced, {size:,} a transaction", spread(rates, "entries/s"),
                      f"wanted {SEQUENCED_WANTED:,}" if size >= 100 else "")
        yield from _proofs(database, deployment, Random(9))
        database.dispose()


def _entries(start: int, count: int) -> list[Entry]:
    """Entries as changes make them, with the fields and about the length of the real ones."""
    at = stamp(datetime.now(UTC))
    return [Entry(at, "change", "01a21b2e-a371-7030-912d-6cc3faf48ff0", f"01a21b2e-a371-7030-912d-{number:012x}", {
        "type": "finding", "version": 1, "op": "create", "scope": "320412100", "seq": number,
        "device_id": "01a21b2e-a371-7030-912d-6cc3faf48ff1", "commitment": f"{number:064x}"})
        for number in range(start, start + count)]


def _fill(engine: Engine, entries: int) -> None:
    for start in range(0, entries, AT_ONCE):
        _write(engine, _entries(start, min(AT_ONCE, entries - start)))
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def _sequence(engine: Engine, count: int, size: int) -> None:
    entries = _entries(0, count)
    for start in range(0, count, size):
        _write(engine, entries[start:start + size])


def _write(engine: Engine, entries: list[Entry]) -> None:
    """One transaction behind the gate, as a push ends with it."""
    with Session(engine) as session:
        gate = open_gate(session)
        journal.append(session, gate.frontier, entries)
        close_gate(session, gate)
        session.commit()


def _proofs(engine: Engine, deployment: Deployment, random: Random) -> Iterator[Row]:
    person = deployment.bureau.admin
    granted(person.post("/devices/invitations", {"username": "root"}), 201)  # an entry, with which a checkpoint comes
    signed = read_checkpoint(person.get("/journal/checkpoint").text)
    asked = [random.randrange(signed.size) for _ in range(PROOFS)]
    with Session(engine) as session:
        for name, ask in (("inclusion", lambda index: journal.inclusion(session, index, signed.size)),
                          ("consistency", lambda index: journal.consistency(session, index + 1, signed.size))):
            began = time.process_time()
            taken = [1000 * timed(partial(ask, index)) for index in asked]
            cpu_ms = 1000 * (time.process_time() - began) / len(asked)
            yield _told(f"{name} proof among {signed.size:,} entries", taken, f"; {cpu_ms:.2f} ms of CPU on average")
        for index in asked:
            entry = session.get_one(JournalEntry, index)
            path = [bytes.fromhex(each) for each in journal.inclusion(session, index, signed.size)]
            assert merkle.verify_inclusion(index, signed.size, bytes.fromhex(entry.leaf_hash), path, signed.root)
    taken = [1000 * timed(partial(person.get, f"/journal/inclusion?index={index}&size={signed.size}"))
             for index in asked]
    yield _told("the same inclusion proofs over HTTP, one connection", taken)


def _told(what: str, taken_ms: list[float], more: str = "") -> Row:
    p95 = sorted(taken_ms)[len(taken_ms) * 95 // 100]
    return Row(what, f"median {statistics.median(taken_ms):.2f} ms, p95 {p95:.2f} ms{more}",
               f"wanted at most {PROOF_WANTED_MS} ms")
