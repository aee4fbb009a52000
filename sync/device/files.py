"""The photos on this device: exact bytes on disk, and how far each has come. Serves `capture`, `uploads`, `exchange`.

States: `waiting` -> `stored` (the server has all bytes) -> `verified` (it checked them: ours are removed a while later,
for it may be restored from a backup that lacks them), or `refused`, `damaged` with the `problem`'s code; those bytes
stay. `gone`: the server lost what is no longer here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.values import parse_time, stamp
from sync.device.events import Events
from sync.device.store import Store

KEEP = timedelta(days=30)
FINAL = ("verified", "refused", "damaged")
SNIFFED_BYTES = 16


@dataclass(frozen=True, slots=True)
class File:
    """One photo: `offset` bytes of it stand on the server under `url`, as far as this device knows."""

    sha256: str
    bytes: int
    media_type: str
    state: str
    url: str | None
    offset: int
    mismatches: int
    problem: str | None


class Files:
    """Bytes under `photos/` named by their digest, and a row for each. Verified bytes are kept for `keep`."""

    def __init__(self, store: Store, clock: Callable[[], datetime], keep: timedelta = KEEP) -> None:
        self._store, self._keep = store, keep
        self._events = Events(store, clock)
        self._directory = store.directory / "photos"
        self._directory.mkdir(mode=0o700, exist_ok=True)

    def keep(self, content: bytes | Path) -> tuple[str, int]:
        """Hash these exact bytes and have them on disk for good; gives (hex SHA-256, length)."""
        part = self._directory / f"{os.getpid()}.part"
        if isinstance(content, Path):
            shutil.copyfile(content, part)
        else:
            part.write_bytes(content)
        with part.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
            size = os.fstat(written.fileno()).st_size
            os.fsync(written.fileno())
        part.rename(self.path(digest))
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return digest, size

    def add(self, sha256: str, size: int, media_type: str, at: datetime) -> None:
        """Let kept bytes wait for their upload; the caller holds the transaction."""
        self._store.run(
            "INSERT INTO file (sha256, bytes, media_type, added_at) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE"
            " SET state = 'waiting', kept = 1, url = NULL, offset = 0, mismatches = 0, problem = NULL"
            " WHERE state IN ('verified', 'refused', 'damaged', 'gone')", (sha256, size, media_type, stamp(at)))

    def path(self, sha256: str) -> Path:
        """Where the bytes are, while they are kept."""
        return self._directory / sha256

    def read(self, sha256: str, offset: int, length: int) -> bytes:
        """A part of the bytes."""
        with self.path(sha256).open("rb") as content:
            content.seek(offset)
            return content.read(length)

    def sound(self, sha256: str) -> bool:
        """Are the bytes on disk still those that were captured?"""
        try:
            with self.path(sha256).open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def all(self, state: str | None = None) -> list[File]:
        """The files, oldest first, all or those in a state."""
        found = self._store.run("SELECT sha256, bytes, media_type, state, url, offset, mismatches, problem FROM file"
                                " WHERE ?1 IS NULL OR state = ?1 ORDER BY added_at, sha256", (state,))
        return [File(*row) for row in found]

    def note(self, sha256: str, **columns: Any) -> None:
        """Write what became of a file: `state`, `url`, `offset`, `mismatches`, `problem`."""
        names = ", ".join(f"{name} = :{name}" for name in columns)
        self._store.run(f"UPDATE file SET {names} WHERE sha256 = :sha256", {**columns, "sha256": sha256})

    def want(self, digests: Iterable[str]) -> None:
        """The server lacks these: send again what it once had."""
        for digest in digests:
            self._store.run("UPDATE file SET state = 'waiting', url = NULL, offset = 0"
                            " WHERE sha256 = ? AND state IN ('stored', 'verified') AND kept", (digest,))
            if self._store.run("UPDATE file SET state = 'gone' WHERE sha256 = ? AND state = 'verified'",
                               (digest,)).rowcount:
                self._events.note("photo_gone", sha256=digest)

    def learn(self, fields: Mapping[str, Any]) -> None:
        """Take what an evidence record says of its photo's bytes."""
        media = fields.get("media")
        if isinstance(media, dict) and media.get("state") in FINAL:
            self._store.run(
                "UPDATE file SET state = ?1, problem = ?2, verified_at = CASE WHEN ?1 = 'verified' AND state = ?1"
                " THEN verified_at END WHERE sha256 = ?3", (media["state"], media.get("code"), fields["sha256"]))

    def remove_verified(self, now: str) -> None:
        """Remove the bytes that the server verified long enough ago. `now` is its time: this device's clock may err."""
        self._store.run("UPDATE file SET verified_at = ? WHERE state = 'verified' AND verified_at IS NULL", (now,))
        until = stamp(parse_time(now) - self._keep)
        for row in self._store.run("SELECT sha256 FROM file WHERE kept AND state = 'verified' AND verified_at <= ?",
                                   (until,)).fetchall():
            self.path(row["sha256"]).unlink(missing_ok=True)
            self.note(row["sha256"], kept=0)


def media_type_of(start: bytes) -> str:
    """The media type that the first 16 bytes of a file announce."""
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:8] == b"ftyp":
        return "image/avif" if start[8:12] in (b"avif", b"avis") else "image/heic"
    return "application/octet-stream"
