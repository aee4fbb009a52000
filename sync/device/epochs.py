"""What a device does when the server was restored from a backup (a new epoch). Serves `exchange`.

The restored server may lack what it had acknowledged. So the device pulls everything anew, delivers again all from the
server's `last_n` on, and takes back what it believed of mutations that were settled after the backup. The mutation of
that very number goes along as a question: a copy of this device may have been quicker, and used the number for its own.
Where this device itself may have brought that number to the restored server, unawares, it says nothing of those before:
then the question is the newest that the old server had acknowledged.
"""

from __future__ import annotations

from sync.device.events import Events
from sync.device.outbox import Outbox
from sync.device.rows import Rows
from sync.device.store import Store

FIRST_VERSION = 1


class Epochs:
    """Knows the epoch, and that of a new one not all is known yet."""

    def __init__(self, store: Store, outbox: Outbox, rows: Rows, events: Events) -> None:
        self._store, self._outbox, self._rows, self._events = store, outbox, rows, events

    @property
    def is_new(self) -> bool:
        """True until a whole pull has shown what the restored server has."""
        return self._store.get("new_epoch_after") is not None

    def meet(self, epoch: str, last_n: int) -> bool:
        """Take the epoch of an answer and the `last_n` it names, before the outcomes it brings; is it a new one? The
        caller holds the transaction."""
        known = self._store.get("epoch")
        self._store.put("epoch", epoch)
        if known in (None, epoch):
            return False
        self._store.put("new_epoch_after", last_n)
        again = self._outbox.deliver_again(last_n)
        if last_n:
            self._outbox.deliver_again(max(self._outbox.newest_answered(last_n) - 1, 0))
            self._store.put("asked", last_n)
        self._outbox.unsettle(last_n)
        self._store.put("cursor", None)
        self._rows.begin_again()
        self._events.note("server_restored", epoch=epoch, from_epoch=known, last_n=last_n, delivered_again=again)
        return True

    def hear(self, n: int) -> None:
        """The server took a push up to `n` as one of this device: what it has is what this device sent."""
        if (asked := self._store.get("asked")) is not None and n >= asked:
            self._store.put("asked", None)

    def settle(self) -> None:
        """A whole pull has come, and is not shown yet. Versions of the old epoch say nothing in the new one, except
        where the record is still the very same; and where a copy of this device was quicker, what is shown is of the
        new one, and nothing is known of where its own bases lie.

        Base 0 makes every difference an overlap: the worst is a conflict too many, never an edit lost. An edit of a
        record that is not back yet waits on the server for it: base 1, whatever version its author brings again.
        """
        last_n = self._store.get("new_epoch_after")
        if last_n is None:
            return
        forked = self._store.get("asked") is not None and last_n == 0
        for made in self._outbox.made(state="waiting"):
            body = made.body
            same = not forked and self._rows.unchanged(body["type"], body["record_id"])
            if made.n > last_n and body["base"] and not same:
                there = self._rows.arriving(body["type"], body["record_id"])
                self._outbox.rewrite(made.n, {**body, "base": 0 if there else FIRST_VERSION})
        self._store.put("new_epoch_after", None)
        if forked:
            self._store.put("asked", None)
