"""Whether everything arrived: the server's signed receipt, fetched, verified and kept (docs/verify-a-receipt.md).

Serves `device`. A receipt proves later, without the server, what the server said it had.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sync.device.client import Client, Problem, Unreachable
from sync.device.outbox import Outbox
from sync.device.store import Store
from sync.device.witness import LogRefused, Witness
from sync.notes import NoteInvalid
from sync.statements import photos_root, read_statement

TRIES = 3


class Delivery:
    """The newest receipt of this device."""

    def __init__(self, store: Store, client: Client, outbox: Outbox, witness: Witness) -> None:
        self._store, self._client, self._outbox, self._witness = store, client, outbox, witness

    @property
    def receipt(self) -> str | None:
        """The note as the server signed it."""
        note: str | None = self._store.get("receipt", {}).get("note")
        return note

    @property
    def complete(self) -> bool:
        """Does a verified receipt of this epoch cover the last number given and every photo captured here?

        But for those that the server itself refused or found damaged, which `photos` tells.
        """
        kept = self._store.get("receipt")
        if kept is None or self._outbox.health()["unsent"]:
            return False
        statement = self._read(kept["note"])
        return self._is_ours(statement) and statement["last_n"] >= self._outbox.newest() \
            and self._photos() <= set(kept["photos"]) and photos_root(kept["photos"]) == statement["photos"]["root"]

    def renew(self) -> None:
        """Ask for a receipt where nothing waits here, as far as this device knows, and none says so yet."""
        waiting = self._store.one("SELECT count(*) FROM file WHERE state IN ('waiting', 'stored')")
        if not waiting and self._outbox.newest() and not self._outbox.health()["unsent"] and not self.complete:
            with suppress(Unreachable, Problem):  # what was delivered is delivered; the next sync asks again
                self.fetch()

    def fetch(self) -> bool:
        """Fetch, verify and keep a receipt with the photos it speaks of. Raises LogRefused for one that is not ours.

        False when photos were verified between the calls, again and again; then the receipt of before stays.
        """
        self._witness.meet()
        for _ in range(TRIES):
            note = self._client.get("/sync/receipt")
            statement = self._read(note)
            if not self._is_ours(statement):
                raise LogRefused("the receipt is another device's, or of another epoch")
            photos = sorted(self._photos())
            if photos_root(photos) != statement["photos"]["root"]:
                photos = self._client.get("/sync/receipt/photos")["photos"]
            if photos_root(photos) == statement["photos"]["root"]:
                self._store.put("receipt", {"note": note, "photos": photos})
                return True
        return False

    def _read(self, note: str) -> dict[str, Any]:
        try:
            return read_statement(note, self._store.get("journal_key"))
        except NoteInvalid as error:
            raise LogRefused(str(error)) from error

    def _is_ours(self, statement: dict[str, Any]) -> bool:
        return (statement["device_id"], statement["epoch"]) == (self._store.get("device_id"), self._store.get("epoch"))

    def _photos(self) -> set[str]:
        """The digests of the photos captured here, without those dismissed by a supervisor or judged by the server."""
        judged = {digest for (digest,) in self._store.run(
            "SELECT sha256 FROM file WHERE state IN ('refused', 'damaged') AND EXISTS (SELECT 1 FROM row"
            " WHERE type = 'evidence' AND json_extract(CAST(fields AS TEXT), '$.sha256') = file.sha256"
            " AND json_extract(CAST(fields AS TEXT), '$.media.state') IN ('refused', 'damaged'))")}
        found = self._store.run(
            "SELECT json_extract(CAST(body AS TEXT), '$.set.sha256') FROM mutation WHERE type = 'evidence'"
            " AND coalesce(json_extract(CAST(settled AS TEXT), '$.outcome'), '') <> 'dismissed'")
        return {digest for (digest,) in found if digest and digest not in judged}
