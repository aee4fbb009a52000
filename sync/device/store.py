"""The device's memory: one SQLite file that outlives crashes and flat batteries. Serves every part of the device.

Each table belongs to the module named beside it, which alone writes it. A COMMIT is on disk when it returns
(`synchronous=FULL`), and what belongs together is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

FILE_NAME = "device.sqlite3"
BUSY_S = 30.0

FIRST = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- rows.py: each record as the server last gave it. A snapshot that is being filled is not yet shown.
CREATE TABLE row (
    snapshot INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, scope TEXT NOT NULL,
    fields BLOB NOT NULL, updated_at TEXT, forgotten INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (snapshot, type, id)
) WITHOUT ROWID;

-- outbox.py: what was done here, in the order of doing. body is the mutation without its number.
CREATE TABLE mutation (
    made INTEGER PRIMARY KEY AUTOINCREMENT, device_id TEXT NOT NULL, n INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, record_id TEXT NOT NULL, unit TEXT, body BLOB NOT NULL, made_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', version INTEGER, outcome BLOB, settled BLOB, UNIQUE (device_id, n)
);
CREATE INDEX mutation_waiting ON mutation (device_id, n) WHERE state = 'waiting';
CREATE INDEX mutation_open ON mutation (type, record_id) WHERE state <> 'done';
CREATE INDEX mutation_record ON mutation (record_id) WHERE state = 'waiting';

-- capture.py: the capture chain.
CREATE TABLE capture (
    device_id TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL, record_id TEXT NOT NULL,
    PRIMARY KEY (device_id, seq)
) WITHOUT ROWID;

-- files.py: photos and how far they have come. kept: the bytes are here.
CREATE TABLE file (
    sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, media_type TEXT NOT NULL, added_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', kept INTEGER NOT NULL DEFAULT 1, url TEXT, offset INTEGER NOT NULL DEFAULT 0,
    mismatches INTEGER NOT NULL DEFAULT 0, problem TEXT
) WITHOUT ROWID;

-- witness.py: the journal's checkpoints that were seen and found to extend the one before.
CREATE TABLE checkpoint (
    epoch TEXT NOT NULL, size INTEGER NOT NULL, root TEXT NOT NULL, note TEXT NOT NULL, seen_at TEXT NOT NULL,
    PRIMARY KEY (epoch, size)
) WITHOUT ROWID;
"""
EVENTS_AND_KEPT_PHOTOS = """
-- events.py: what befell this device.
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, about BLOB NOT NULL
);

-- files.py: since when the server says that it has verified the bytes.
ALTER TABLE file ADD COLUMN verified_at TEXT
"""
SERVER_TIME = """
-- files.py: these times were of the device's clock until now. The next pull gives the server's.
UPDATE file SET verified_at = NULL
"""
SCHEMAS = (FIRST, EVENTS_AND_KEPT_PHOTOS, SERVER_TIME)
"""What brings the file from each version to the next; only ever appended to."""


class Store:
    """The open file. One thread at a time; several processes may take turns."""

    def __init__(self, directory: Path) -> None:
        """Open or make the file in this directory; raises RuntimeError for one that newer software wrote."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self._db = sqlite3.connect(directory / FILE_NAME, timeout=BUSY_S, isolation_level=None,
                                   check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        (directory / FILE_NAME).chmod(0o600)
        self._bring_up()

    @property
    def busy(self) -> bool:
        """True within a transaction."""
        return self._db.in_transaction

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is kept together or not at all; an inner one is part of the outer one."""
        if self.busy:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self.busy:  # a failed COMMIT may have ended it already
                self._db.execute("ROLLBACK")
            raise

    def run(self, sql: str, parameters: tuple[Any, ...] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._db.execute(sql, parameters)

    def run_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute one statement for each of the rows, which are taken one by one."""
        self._db.executemany(sql, rows)

    def one(self, sql: str, parameters: tuple[Any, ...] | Mapping[str, Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self._db.execute(sql, parameters).fetchone()
        return row[0] if row else None

    def get(self, name: str, default: Any = None) -> Any:
        """A setting."""
        value = self.one("SELECT value FROM setting WHERE name = ?", (name,))
        return default if value is None else orjson.loads(value)

    def put(self, name: str, value: Any) -> None:
        """Keep a setting; None removes it."""
        if value is None:
            self.run("DELETE FROM setting WHERE name = ?", (name,))
        else:
            self.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, orjson.dumps(value)))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _bring_up(self) -> None:
        version = self.one("PRAGMA user_version")
        if version > len(SCHEMAS):
            raise RuntimeError(f"{self.directory / FILE_NAME} was written by newer software (schema {version})")
        for number, script in enumerate(SCHEMAS[version:], version + 1):
            with self.transaction():
                for statement in script.split(";"):
                    self.run(statement)
                self.run(f"PRAGMA user_version = {number}")
