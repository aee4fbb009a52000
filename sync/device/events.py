"""The device's own log: what befell it that a person should know and no record tells. Serves every part of the device.

Kinds: `server_restored` (a new epoch: what it lost is delivered again), `journal_replaced` (how much of the journal
that was seen the new one holds), `store_older` (this store is an older copy: the server has more of it), `photo_gone`
(the server lost a photo whose bytes are no longer here).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from schemas.values import stamp
from sync.device.store import Store


class Events:
    """Appends to the log and reads it."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def note(self, kind: str, **about: Any) -> None:
        """Enter something; within the caller's transaction, if there is one."""
        self._store.run("INSERT INTO event (at, kind, about) VALUES (?, ?, ?)",
                        (stamp(self._clock()), kind, orjson.dumps(about)))

    def all(self) -> list[dict[str, Any]]:
        """`{at, kind, …}`, oldest first."""
        found = self._store.run("SELECT at, kind, about FROM event ORDER BY number")
        return [{"at": row["at"], "kind": row["kind"], **orjson.loads(row["about"])} for row in found]
