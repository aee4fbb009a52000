"""Bytes in a directory: durable when `put` returns, whole or absent after a crash. Serves open_store."""

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from media.stores.contract import (
    BLOCK_BYTES,
    DigestMismatch,
    NotStored,
    Stored,
    StoreUnavailable,
    digest_of,
    key_of,
)

LEFT_OVER_AFTER_S = 24 * 3600
PART = ".part"
NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK)  # another disk, or a file system without hard links


class DiskStore:
    """`root/sha256/ab/<hex>`. A file is written aside, synced, then linked into place, which never overwrites.

    Files are read-only, but whoever owns the directory may remove them: a hold would be an empty promise.
    """

    holding = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root.absolute().as_uri()
        self.incoming = root / "incoming"
        with _unavailable("open"):
            self.incoming.mkdir(parents=True, exist_ok=True)
            self._make_folders()
            self._sweep()

    def put(self, sha256: str, path: Path, media_type: str, *, given: bool = False) -> bool:
        """Keep the file if it is given and on this disk, else a copy; `media_type` is not kept here."""
        target = self.root / key_of(sha256)
        with _unavailable("write"):
            if given:
                try:
                    return self._take(sha256, path, target)
                except OSError as error:
                    if error.errno not in NO_LINK:
                        raise
            copy = self._copy(sha256, path)
            try:
                return self._link(copy, target)
            finally:
                copy.unlink()

    def has(self, sha256: str) -> bool:
        return self.head(sha256) is not None

    def head(self, sha256: str) -> Stored | None:
        with _unavailable("look up"):
            try:
                return Stored((self.root / key_of(sha256)).stat().st_size, sha256)
            except FileNotFoundError:
                return None

    def holds(self, sha256: str) -> bool | None:
        with _unavailable("read"):
            try:
                return digest_of(self.root / key_of(sha256)) == sha256
            except FileNotFoundError:
                return None

    def open(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        with _unavailable("read"):
            try:
                file = (self.root / key_of(sha256)).open("rb")
            except FileNotFoundError:
                raise NotStored(sha256) from None
            file.seek(start)
        return _blocks(file, None if end is None else max(0, end - start))

    def delete(self, sha256: str) -> None:
        with _unavailable("delete"):
            (self.root / key_of(sha256)).unlink(missing_ok=True)

    def remove(self, sha256: str) -> None:
        target = self.root / key_of(sha256)
        self.delete(sha256)
        with _unavailable("delete"):
            if target.parent.is_dir():
                sync_directory(target.parent)

    def hold(self, sha256: str, at: datetime) -> None:
        if not self.has(sha256):
            raise NotStored(sha256)

    def release(self, sha256: str) -> None:
        self.has(sha256)

    def on_hold(self, sha256: str) -> bool | None:
        self.has(sha256)
        return None

    def probe(self) -> None:
        self.check()

    def keep(self, name: str, content: bytes) -> bool:
        target = self.root / name
        if target.exists():
            return False
        with _unavailable("write"):
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_file(target, content)
        return True

    def kept(self, folder: str) -> Iterator[str]:
        with _unavailable("list"):
            found = [path.relative_to(self.root).as_posix() for path in (self.root / folder).rglob("*")
                     if path.is_file() and path.suffix != PART]
        return iter(sorted(found))

    def recall(self, name: str) -> bytes:
        with _unavailable("read"):
            try:
                return (self.root / name).read_bytes()
            except FileNotFoundError:
                raise NotStored(name) from None

    def check(self) -> None:
        with _unavailable("write"), tempfile.TemporaryFile(dir=self.incoming) as probe:
            probe.write(b"\0")

    def _take(self, sha256: str, path: Path, target: Path) -> bool:
        """Sync the file itself and give it its name; raises DigestMismatch."""
        with path.open("rb") as file:
            if (found := hashlib.file_digest(file, "sha256").hexdigest()) != sha256:
                raise DigestMismatch(f"the bytes hash to {found}, not to {sha256}")
            os.fsync(file.fileno())
            is_new = self._link(path, target)
        target.chmod(0o440)
        return is_new

    def _copy(self, sha256: str, path: Path) -> Path:
        """Write the file's bytes aside and sync them; raises DigestMismatch, leaving nothing."""
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(dir=self.incoming)
        try:
            with path.open("rb") as source, os.fdopen(handle, "wb") as copy:
                while block := source.read(BLOCK_BYTES):
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fchmod(copy.fileno(), 0o440)
                os.fsync(copy.fileno())
            if digest.hexdigest() != sha256:
                raise DigestMismatch(f"the bytes hash to {digest.hexdigest()}, not to {sha256}")
        except BaseException:
            os.unlink(name)
            raise
        return Path(name)

    def _link(self, copy: Path, target: Path) -> bool:
        """Give the copy its name unless the name is taken; the new name survives a power cut."""
        if not target.parent.is_dir():
            self._make_folders()
        try:
            os.link(copy, target)
        except FileExistsError:
            if target.stat().st_size != copy.stat().st_size:
                raise StoreUnavailable(f"{target.name} holds other bytes than its name says") from None
            return False
        sync_directory(target.parent)
        return True

    def _make_folders(self) -> None:
        """All folders that photos will lie in, once: made when its first photo comes, each would cost that two more
        waits for the disk."""
        folders = [(self.root / key_of(f"{first:02x}".ljust(64, "0"))).parent for first in range(256)]
        missing = [folder for folder in folders if not folder.is_dir()]
        for folder in missing:
            folder.mkdir(parents=True, exist_ok=True)
        if missing:
            sync_directory(missing[0].parent)
            sync_directory(self.root)

    def _sweep(self) -> None:
        """Remove copies that a killed process left more than a day ago."""
        for left in self.incoming.iterdir():
            with suppress(FileNotFoundError):  # another process sweeps as well
                if time.time() - left.stat().st_mtime > LEFT_OVER_AFTER_S:
                    left.unlink()


def _blocks(file: BinaryIO, wanted: int | None) -> Iterator[bytes]:
    with file, _unavailable("read"):
        while wanted is None or wanted > 0:
            block = file.read(BLOCK_BYTES if wanted is None else min(BLOCK_BYTES, wanted))
            if not block:
                return
            if wanted is not None:
                wanted -= len(block)
            yield block


def replace_file(path: Path, content: bytes) -> None:
    """Let a file hold this content, durably and at once: whoever reads it meanwhile finds the old or the new."""
    part = path.with_name(f"{path.name}{PART}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Let the names in a directory reach the disk: a file that was made, renamed or removed there."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _unavailable(verb: str) -> Iterator[None]:
    """Turn what the file system refuses into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the media directory cannot {verb}: {error.strerror or error}") from error
