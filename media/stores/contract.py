"""What every store of bytes promises, and how it fails. Serves media/stores/disk.py and s3.py, and all who use them."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

BLOCK_BYTES = 256 * 1024
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class StoreUnavailable(Exception):
    """The store did not do what was asked: unreachable, full, refused, or holding other bytes. Waiting may help."""


class StoreRefuses(StoreUnavailable):
    """The store does not do what its URL asks for, Object Lock or encryption: its owner must act, waiting is no use."""


class Retained(StoreUnavailable):
    """The bytes may not be removed yet: they are on hold, or retained up to the time `until`, where it is known."""

    def __init__(self, message: str, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class NotStored(LookupError):
    """No bytes lie under this digest."""


class DigestMismatch(ValueError):
    """The bytes do not hash to the name they were to be stored under (protocol section 6, `digest_mismatch`)."""


class Stored(NamedTuple):
    """Bytes that stand in a store: their number, and the SHA-256 the store vouches for; empty where it keeps none."""

    bytes: int
    sha256: str


class Store(Protocol):
    """Content-addressed and write-once: a digest is the name, and what stands under a name never changes.

    Every method raises StoreUnavailable when the store fails, ValueError when `sha256` is not 64 lower-case hex digits.
    `place` says where it is, without its secrets: two stores are the same where their places are. `holding` says
    whether it is asked to hold photos; where it is not, `hold` and `release` promise nothing.
    """

    @property
    def place(self) -> str: ...

    @property
    def holding(self) -> bool: ...

    def put(self, sha256: str, path: Path, media_type: str, *, given: bool = False) -> bool:
        """Keep the file under its digest, durably. False: it stood there already. Raises DigestMismatch; idempotent.

        A file that is `given` is written by nobody from now on: a directory on the same disk takes it as it is instead
        of a copy. Its old name is the caller's to remove.
        """
        ...

    def has(self, sha256: str) -> bool:
        """Say whether bytes stand under this digest."""
        ...

    def head(self, sha256: str) -> Stored | None:
        """Describe what stands under this digest without reading it."""
        ...

    def holds(self, sha256: str) -> bool | None:
        """Do the very bytes of this digest stand under it? None: nothing does. Reads them where the store keeps no
        checksum of its own: always in a directory. Serves `menqian restore`, which believes no name."""
        ...

    def open(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Stream bytes `start` up to, not including, `end`; raises NotStored before the first block."""
        ...

    def delete(self, sha256: str) -> None:
        """Remove a rendition, or bytes that are not those of their name (`holds`); nothing there is no failure.
        Originals are never deleted by this."""
        ...

    def remove(self, sha256: str) -> None:
        """Remove the bytes for good, with every version of them; nothing there is no failure. Raises Retained where a
        hold or a retention forbids it. Serves approved disposals, and nothing else."""
        ...

    def hold(self, sha256: str, at: datetime) -> None:
        """Let nobody remove these bytes until `release`, and where the store retains for days, not within those that
        follow `at`, the time now. Idempotent; raises NotStored, and StoreRefuses where the store cannot."""
        ...

    def release(self, sha256: str) -> None:
        """Lift the hold; nothing there, or no hold on it, is no failure."""
        ...

    def on_hold(self, sha256: str) -> bool | None:
        """Is there a hold on these bytes? None: this store is not asked to hold any."""
        ...

    def keep(self, name: str, content: bytes) -> bool:
        """Keep a short text under a name `FOLDER/…` beside the digests, once and for ever. False: it stood there
        already, and stays."""
        ...

    def kept(self, folder: str) -> Iterator[str]:
        """The names that `keep` was given in this folder, in their order."""
        ...

    def recall(self, name: str) -> bytes:
        """What was kept under this name; raises NotStored."""
        ...

    def check(self) -> None:
        """Return when the store can be reached and written, else raise StoreUnavailable. Serves /readyz."""
        ...

    def probe(self) -> None:
        """As `check`, and a few bytes are written as a photo would be, and removed. Raises StoreRefuses where the store
        does not do what its URL asks for. Serves `menqian doctor` and the start of a server."""
        ...


def key_of(sha256: str) -> str:
    """Return the object key of a digest: `sha256/ab/abcd…`."""
    if not SHA256_HEX.fullmatch(sha256):
        raise ValueError("a digest is 64 lower-case hexadecimal digits")
    return f"sha256/{sha256[:2]}/{sha256}"


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
