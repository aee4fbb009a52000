"""The records as the server last gave them, with the snapshot that replaces them after a `resnapshot`.

Serves `device` for reading and `exchange` for writing; the caller holds the transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from sync.device.store import Store
from sync.device.view import Row

UNDELIVERED = "EXISTS (SELECT 1 FROM mutation WHERE record_id = row.id AND state = 'waiting')"


class Rows:
    """Server rows. One snapshot is shown; a pull from the beginning fills the next one out of sight."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, type: str, id: str) -> Row | None:
        """The row of a record, None without one."""
        found = self._store.run("SELECT * FROM row WHERE snapshot = ? AND type = ? AND id = ?",
                                (self._shown, type, id)).fetchone()
        return _row(found) if found else None

    def of_type(self, type: str) -> Iterator[Row]:
        """All rows of a type, by id."""
        for found in self._store.run("SELECT * FROM row WHERE snapshot = ? AND type = ? ORDER BY id",
                                     (self._shown, type)):
            yield _row(found)

    def take(self, changes: Iterable[Mapping[str, Any]]) -> None:
        """Apply the changes of a page, which names each record once; taken one by one, however many they are.

        A forgotten row stays while an edit on it is undelivered (protocol section 3).
        """
        filling, gone = self._filling, list[Mapping[str, Any]]()

        def rows() -> Iterator[tuple[Any, ...]]:
            for change in changes:
                if change["op"] == "put":
                    yield (filling, change["type"], change["id"], change["version"], change["scope"],
                           orjson.dumps(change["fields"]), change.get("updated_at"))
                else:
                    gone.append(change)

        self._store.run_many("INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?, ?, ?, ?, 0)", rows())
        for change in gone:
            self._store.run("UPDATE row SET forgotten = 1 WHERE snapshot = ? AND type = ? AND id = ?"
                            if change["op"] == "forget" else
                            "DELETE FROM row WHERE snapshot = ? AND type = ? AND id = ?",
                            (filling, change["type"], change["id"]))

    def drop_forgotten(self) -> None:
        """Remove the forgotten rows on which nothing waits any more."""
        self._store.run(f"DELETE FROM row WHERE forgotten AND NOT {UNDELIVERED}")

    def begin_again(self) -> None:
        """Fill a new snapshot from now on; what is shown stays until `finish`."""
        self._store.run("DELETE FROM row WHERE snapshot <> ?", (self._shown,))
        self._store.put("filling", self._shown + 1)

    def unchanged(self, type: str, id: str) -> bool:
        """Does the snapshot that is being filled hold this very state of the record?"""
        return self._store.one(
            "SELECT 1 FROM row AS old JOIN row AS new USING (type, id) WHERE old.snapshot = ? AND new.snapshot = ?"
            " AND type = ? AND id = ? AND old.version = new.version AND old.updated_at IS new.updated_at",
            (self._shown, self._filling, type, id)) is not None

    def arriving(self, type: str, id: str) -> bool:
        """Does the snapshot that is being filled hold the record, in whatever state?"""
        return self._store.one("SELECT 1 FROM row WHERE snapshot = ? AND type = ? AND id = ?",
                               (self._filling, type, id)) is not None

    def finish(self) -> None:
        """A pull has come to its end: show the snapshot it filled, without what was not seen again."""
        if self._filling != self._shown:
            self._store.run(
                "INSERT INTO row SELECT ?, type, id, version, scope, fields, updated_at, 1 FROM row WHERE snapshot = ?"
                f" AND {UNDELIVERED} ON CONFLICT DO NOTHING", (self._filling, self._shown))
            self._store.run("DELETE FROM row WHERE snapshot = ?", (self._shown,))
            self._store.put("shown", self._filling)
        self.drop_forgotten()

    def digests(self) -> dict[tuple[str, str], tuple[int, str]]:
        """(scope, type) -> (count, hex SHA-256 of the lines `id version`), as `POST /sync/verify` counts them."""
        sums: dict[tuple[str, str], tuple[int, Any]] = {}
        for scope, type, id, version in self._store.run(
                "SELECT scope, type, id, version FROM row WHERE snapshot = ? AND NOT forgotten ORDER BY id",
                (self._shown,)):
            count, digest = sums.get((scope, type)) or (0, hashlib.sha256())
            digest.update(f"{id} {version}\n".encode())
            sums[scope, type] = (count + 1, digest)
        return {key: (count, digest.hexdigest()) for key, (count, digest) in sums.items()}

    @property
    def _shown(self) -> int:
        return int(self._store.get("shown", 0))

    @property
    def _filling(self) -> int:
        return int(self._store.get("filling", self._shown))


def _row(found: Any) -> Row:
    return Row(found["type"], found["id"], found["version"], found["scope"], orjson.loads(found["fields"]),
               found["updated_at"])
