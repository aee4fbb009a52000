"""The device as a witness of the journal: it remembers the newest checkpoint and refuses a log that shrank or forked.

Serves `exchange` and, for the beacon, `capture`. A restored server begins a new epoch, and with it a new line of
checkpoints. Those of the old epoch are kept as proof, and the device's log tells how far the new line holds them.
"""

from __future__ import annotations

from bisect import bisect_right

from schemas.values import stamp
from sync.device.client import Client, Problem
from sync.device.events import Events
from sync.device.outbox import Clock
from sync.device.store import Store
from sync.merkle import verify_consistency
from sync.notes import Checkpoint, NoteInvalid, read_checkpoint, verify_note


class LogRefused(Exception):
    """The server showed a checkpoint that does not extend one it showed before, or that its key did not sign."""


class Witness:
    """Looks at every checkpoint that comes with an answer."""

    def __init__(self, store: Store, client: Client, clock: Clock, events: Events) -> None:
        self._store, self._client, self._clock, self._events = store, client, clock, events

    @property
    def beacon(self) -> str | None:
        """The root hash, hex, of the newest checkpoint seen."""
        root: str | None = self._store.one("SELECT root FROM checkpoint WHERE epoch = ? ORDER BY size DESC LIMIT 1",
                                           (self._store.get("epoch"),))
        return root

    def meet(self) -> None:
        """Fetch the journal's key, once; from then on every checkpoint must carry its signature."""
        if self._store.get("journal_key") is None:
            self._store.put("journal_key", self._client.get("/journal/key").strip())

    def see(self, note: str | None, epoch: str) -> None:
        """Check a checkpoint against the newest of this epoch and remember it; raises LogRefused."""
        if not note or self._store.one("SELECT 1 FROM checkpoint WHERE epoch = ? AND note = ?", (epoch, note)):
            return
        seen = self._read(note)
        newest = self._newest(epoch)
        if newest:
            self._compare(*sorted((newest, seen), key=lambda each: each.size))
        elif before := self._of_other_epochs(epoch):
            self._events.note("journal_replaced", epoch=epoch, size=seen.size, seen=before[-1].size,
                              shared=self._shared(before, seen))
        self._store.run("INSERT OR IGNORE INTO checkpoint VALUES (?, ?, ?, ?, ?)",
                        (epoch, seen.size, seen.root.hex(), note, stamp(self._clock())))

    def _read(self, note: str) -> Checkpoint:
        key = self._store.get("journal_key")
        try:
            return verify_note(note, key) if key else read_checkpoint(note)
        except NoteInvalid as error:
            raise LogRefused(str(error)) from error

    def _newest(self, epoch: str) -> Checkpoint | None:
        note = self._store.one("SELECT note FROM checkpoint WHERE epoch = ? ORDER BY size DESC LIMIT 1", (epoch,))
        return read_checkpoint(note) if note else None

    def _of_other_epochs(self, epoch: str) -> list[Checkpoint]:
        """The checkpoints of the epoch that was seen last before this one, smallest first."""
        notes = self._store.run(
            "SELECT note FROM checkpoint WHERE epoch = (SELECT epoch FROM checkpoint WHERE epoch <> ?"
            " ORDER BY seen_at DESC LIMIT 1) ORDER BY size", (epoch,)).fetchall()
        return [read_checkpoint(note) for (note,) in notes]

    def _shared(self, before: list[Checkpoint], seen: Checkpoint) -> int:
        """The size of the largest of these that the log seen now holds, 0 for none: it holds all smaller ones too."""
        def refused(one: Checkpoint) -> bool:
            if one.size > seen.size:
                return True
            try:
                self._compare(one, seen)
            except LogRefused:
                return True
            return False

        count = bisect_right(before, False, key=refused)
        return before[count - 1].size if count else 0

    def _compare(self, smaller: Checkpoint, larger: Checkpoint) -> None:
        """An older answer may come late; but one log must hold both."""
        if smaller.size == 0 or (smaller.size, smaller.root) == (larger.size, larger.root):
            return
        path: list[bytes] = []
        if smaller.size != larger.size:
            try:
                proof = self._client.get("/journal/consistency", {"from": smaller.size, "to": larger.size})
                path = [bytes.fromhex(each) for each in proof["hashes"]]
            except Problem as problem:
                if problem.status not in (400, 404, 409, 422):
                    raise
                raise LogRefused(f"no proof that {larger.size} entries hold the first {smaller.size}") from problem
        if not verify_consistency(smaller.size, larger.size, smaller.root, larger.root, path):
            raise LogRefused(f"the log of {larger.size} entries does not hold the {smaller.size} shown before")
