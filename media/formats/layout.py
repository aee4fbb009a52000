"""What a walk through a picture file finds, whatever the format. Serves media/formats."""

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Buffer = bytes | mmap.mmap

# A superbox with its length (also the long form), then the description box with its type.
C2PA_STORE = re.compile(rb".{4}jumb(?:.{8})?.{4}jumdc2pa", re.DOTALL)
# Metadata is copied out of the file up to here; cameras write less than 64 KiB (one JPEG segment).
LARGEST_METADATA = 1024 * 1024


class TooManyPixels(ValueError):
    """More pixels than a camera takes, or a chunk that inflates beyond use (protocol section 6, `too_many_pixels`)."""


@dataclass
class Layout:
    """Where things lie in one picture file. `width` and `height` are as coded, before orientation, in pixels."""

    width: int | None = None
    height: int | None = None
    frames: int = 1
    trailing_bytes: int = 0  # behind the end of the picture and of every further frame
    damaged: str | None = None  # the first thing found wrong, None when the structure is whole
    orientation: int | None = None  # HEIC, AVIF: of the file's own properties, whatever its EXIF says
    padding: list[tuple[int, int]] = field(default_factory=list)  # JPEG: bytes between header segments, start to end
    exif: bytes | None = None  # a TIFF structure, without the "Exif" prefix
    xmp: bytes | None = None
    iptc: bytes | None = None  # a Photoshop image resource block (JPEG APP13)
    software: str | None = None  # PNG names it in a text chunk
    c2pa: bool = False  # holds a C2PA manifest store, whatever that is worth

    def spoil(self, reason: str) -> None:
        """Note a damage; the first one stays."""
        self.damaged = self.damaged or reason


def metadata(data: Buffer, start: int, end: int, prefix: bytes = b"") -> bytes:
    """Copy metadata out of the file, without `prefix` where it stands there, clipped."""
    content = bytes(data[start : min(end, start + LARGEST_METADATA)])
    return content.removeprefix(prefix)


def is_c2pa(box: bytes) -> bool:
    """Say whether a JUMBF box begins as a C2PA manifest store (ISO 19566-5; C2PA 2.1, 11.1.4.2): the type of its
    description box is a UUID that begins with `c2pa`."""
    return C2PA_STORE.match(box) is not None


@contextmanager
def mapped(path: Path) -> Iterator[Buffer]:
    """Give the bytes of a file without reading them all into memory."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:  # nothing to map
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
