"""A BagIt 1.0 bag (RFC 8493) written as a zip while it is streamed: nothing is held but digests.

Pictures are stored, texts deflated. Manifests come last and say what was really written, whatever was promised before.
Serves evidence bundles.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from zipstream.ng import ZipStream

from media.stores.contract import BLOCK_BYTES, digest_of

PAYLOAD = "data/"
DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif", ".bin")

Source = bytes | Path | Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a bag: its path under the base directory, where its bytes come from, the digest that they should have
    and how many they should be."""

    path: str
    source: Source
    sha256: str = ""
    size: int | None = None

    @property
    def is_payload(self) -> bool:
        return self.path.startswith(PAYLOAD)

    def blocks(self) -> Iterator[bytes]:
        """The bytes, a block at a time."""
        if isinstance(self.source, bytes):
            yield self.source
        elif isinstance(self.source, Path):
            with self.source.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
        else:
            yield from self.source()


def part_of(path: str, source: bytes | Path) -> Part:
    """A part whose digest and size are taken from its bytes."""
    if isinstance(source, bytes):
        return Part(path, source, hashlib.sha256(source).hexdigest(), len(source))
    return Part(path, source, digest_of(source), source.stat().st_size)


class Bag:
    """See the module. `base` is the directory in which all stands, `info` the lines of bag-info.txt besides
    Bagging-Date and Payload-Oxum. Paths must be ASCII. `written` counts bytes of the zip, `sha256` is their digest once
    all came."""

    def __init__(self, base: str, parts: Iterable[Part], info: Mapping[str, str], now: datetime) -> None:
        self.base, self.parts, self.info, self.now = base, list(parts), info, now
        self.written = 0
        self._digest = hashlib.sha256()
        self._lines: dict[bool, list[str]] = {True: [], False: []}
        self._bytes = self._files = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def stream(self) -> Iterator[bytes]:
        """The zip. Whatever a part's source raises ends it, and what came is no zip."""
        archive = ZipStream(compress_type=zipfile.ZIP_DEFLATED)
        for part in [*self.parts, *self._last()]:
            stored = part.path.endswith(PICTURES)
            archive.add(self._noted(part), f"{self.base}/{part.path}", size=part.size,
                        compress_type=zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
        for block in archive:
            self.written += len(block)
            self._digest.update(block)
            yield block

    def _last(self) -> Iterator[Part]:
        """What can be written only when the rest is: each is made when its turn comes."""
        def later(path: str, text: Callable[[], str]) -> Part:
            return Part(path, lambda: iter([text().encode()]))

        yield later("bagit.txt", lambda: DECLARATION)
        yield later("bag-info.txt", self._info)
        yield later(MANIFEST, lambda: "".join(self._lines[True]))
        yield later(TAG_MANIFEST, lambda: "".join(self._lines[False]))

    def _info(self) -> str:
        lines = {**self.info, "Bagging-Date": self.now.date().isoformat(),
                 "Payload-Oxum": f"{self._bytes}.{self._files}"}
        return "".join(f"{name}: {value}\n" for name, value in lines.items())

    def _noted(self, part: Part) -> Iterator[bytes]:
        """The part's bytes, which are hashed as they go and then stand in a manifest."""
        digest, size = hashlib.sha256(), 0
        for block in part.blocks():
            digest.update(block)
            size += len(block)
            yield block
        self._lines[part.is_payload].append(f"{digest.hexdigest()}  {part.path}\n")
        if part.is_payload:
            self._bytes, self._files = self._bytes + size, self._files + 1
