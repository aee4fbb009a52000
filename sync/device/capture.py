"""The capture chain (protocol section 7): each photo is hashed, linked and signed before any network is needed.

Serves `device`. The evidence record, the chain's entry and the waiting file are written in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from sync.device.identity import Identity
from sync.device.outbox import Outbox
from sync.device.rows import Rows
from sync.device.store import Store
from sync.device.witness import Witness

NO_ENTRY = "0" * 64


class Chain:
    """The chain of this device, and of those that it was enrolled as before."""

    def __init__(self, store: Store, identity: Identity, outbox: Outbox, witness: Witness) -> None:
        self._store, self._identity, self._outbox, self._witness = store, identity, outbox, witness

    def add(self, record_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Enter evidence as the newest of the chain and give its `capture`; the caller holds the transaction."""
        device_id = self._identity.device_id
        last = self._store.run("SELECT seq, hash FROM capture WHERE device_id = ? ORDER BY seq DESC LIMIT 1",
                               (device_id,)).fetchone() or (0, NO_ENTRY)
        capture = {"seq": last[0] + 1, "prev": last[1], "beacon": self._witness.beacon}
        entry = entry_bytes(device_id, capture, record_id, fields)
        self._store.run("INSERT INTO capture VALUES (?, ?, ?, ?)",
                        (device_id, capture["seq"], hashlib.sha256(entry).hexdigest(), record_id))
        signature = self._identity.sign(entry)
        return {**capture, "sig": signature} if signature else capture

    def enter_anew(self, rows: Rows, *, restored: bool) -> None:
        """After a new enrolment and a whole pull: vouch as the new device for the photos that the server has not got.

        What it has got (it answered, or only the answer was lost) stays as it was signed and comes back as a replay;
        what was taken since the enrolment is in the new chain already. Of a `restored` server only what it shows now
        counts.
        """
        for made in self._outbox.made("evidence", state="waiting"):
            body, values = made.body, made.body.get("set") or {}
            there = rows.arriving("evidence", body["record_id"]) \
                or (not restored and rows.get("evidence", body["record_id"]))
            if "capture" in values and not made.outcome and not there and not self._holds(body["record_id"]):
                fields = {name: value for name, value in values.items() if name != "capture"}
                capture = self.add(body["record_id"], fields)
                self._outbox.rewrite(made.n, {**body, "set": {**fields, "capture": capture}})

    def _holds(self, record_id: str) -> bool:
        return self._store.one("SELECT 1 FROM capture WHERE device_id = ? AND record_id = ?",
                               (self._identity.device_id, record_id)) is not None


def entry_bytes(device_id: str, capture: Mapping[str, Any], record_id: str, fields: Mapping[str, Any]) -> bytes:
    """What is hashed and signed: RFC 8785 canonical JSON of the entry's nine members."""
    return rfc8785.dumps({
        "device_id": device_id, "seq": capture["seq"], "prev": capture["prev"], "beacon": capture["beacon"],
        "sha256": fields["sha256"], "bytes": fields["bytes"], "captured_at": fields["captured_at"],
        "position": fields.get("position"), "record_id": record_id})
