"""Everything undelivered in one file, for when this device can deliver nothing any more. Serves `device`.

Nothing here changes by it: what waits goes on waiting, and what both bring is a replay to the server.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from schemas.values import stamp
from sync.device.files import Files
from sync.device.identity import Identity
from sync.device.outbox import ENVELOPE_BYTES, Clock, Outbox, Waiting
from sync.device.store import Store
from sync.outbox_file import FORMAT, MANIFEST, SEAL, photo_name, push_name


class Bundle:
    """Writes the file of one device."""

    def __init__(self, store: Store, identity: Identity, outbox: Outbox, files: Files, clock: Clock) -> None:
        self._store, self._identity, self._outbox, self._files, self._clock = store, identity, outbox, files, clock

    def write(self, to: Path) -> dict[str, Any]:
        """Write all that waits to this file, and give its `outbox.json`; the file appears whole or not at all."""
        pushes = [(body, {"first": batch[0].n, "last": batch[-1].n, "sha256": hashlib.sha256(body).hexdigest(),
                          "signature": self._identity.sign(body)}) for batch, body in self._bodies()]
        waiting = self._files.all("waiting")
        sound = [file for file in waiting if self._files.sound(file.sha256)]
        said = {
            "format": FORMAT, "device_id": self._identity.device_id,
            "user": {name: self._store.get("user")[name] for name in ("id", "username", "name")},
            "made_at": stamp(self._clock()), "epoch": self._store.get("epoch"),
            "numbers": {"first": pushes[0][1]["first"] if pushes else None, "newest": self._outbox.newest()},
            "pushes": [told for _, told in pushes],
            "photos": [{"sha256": file.sha256, "bytes": file.bytes, "media_type": file.media_type} for file in sound],
            "lacking": [file.sha256 for file in waiting if file not in sound]}
        manifest = orjson.dumps(said)
        part = to.with_name(f"{to.name}.part")
        with part.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(MANIFEST, manifest)
                if seal := self._identity.sign(manifest):
                    archive.writestr(SEAL, seal)
                for number, (body, _) in enumerate(pushes, 1):
                    archive.writestr(push_name(number), body)
                for photo in sound:
                    archive.write(self._files.path(photo.sha256), photo_name(photo.sha256))
            file.flush()
            os.fsync(file.fileno())
        part.rename(to)
        return said

    def _bodies(self) -> Iterator[tuple[list[Waiting], bytes]]:
        """All that waits, in bodies that a push takes. They tell no health: who brings them is not this device."""
        count, size = self._outbox.limit("mutations_per_push"), self._outbox.limit("push_bytes") - ENVELOPE_BYTES
        after = 0
        while batch := self._outbox.batch(count, size, after=after):
            yield batch, b'{"mutations":[%s]}' % b",".join(each.wire for each in batch)
            after = batch[-1].n
