"""The yardstick: the bare SQLite loop that any acknowledged mutation costs, record + history + ledger row."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from pathlib import Path

BATCH = 100


def raw_inserts(folder: Path, count: int, document: dict[str, object]) -> float:
    """Mutations a second of a plain loop, 100 a transaction, WAL, synchronous=FULL, nothing else done."""
    base = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        base.execute(f"PRAGMA {pragma}")
    base.executescript("""
        CREATE TABLE record (id TEXT PRIMARY KEY, type TEXT, version INT, scope TEXT, seq INT, fields TEXT);
        CREATE INDEX record_scope ON record (scope, seq);
        CREATE TABLE history (record_id TEXT, version INT, changed TEXT, PRIMARY KEY (record_id, version));
        CREATE TABLE ledger (device TEXT, n INT, id TEXT, outcome TEXT, PRIMARY KEY (device, n));""")
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        base.execute("BEGIN IMMEDIATE")
        for n in range(start, min(start + BATCH, count)):
            record_id, text = str(uuid.uuid4()), json.dumps(document)
            base.execute("INSERT INTO record VALUES (?, 'finding', 1, '320412100', ?, ?)", (record_id, n, text))
            base.execute("INSERT INTO history VALUES (?, 1, ?)", (record_id, text))
            base.execute("INSERT INTO ledger VALUES ('d', ?, ?, ?)", (n, str(uuid.uuid4()), '{"outcome":"applied"}'))
        base.execute("COMMIT")
    return count / (time.perf_counter() - began)
