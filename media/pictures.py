"""Whether a file is a picture that we take, and whether it is whole. Serves uploads (sniff) and the background check.

`sniff` reads headers only and answers while the client waits; `decode` reads everything, in a bounded process.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path

from media import sandbox
from media.decoding import MOST_PIXELS, strict_decode
from media.formats import TooManyPixels, mapped, type_of, walk

__all__ = ["MediaTypeRefused", "Picture", "Sniffed", "TooManyPixels", "decode", "inspect", "sniff"]

MODERN = ("image/heic", "image/avif")
LEAST_S, BYTES_A_SECOND, PIXELS_A_SECOND = 4, 3_000_000, 12_500_000


class MediaTypeRefused(ValueError):
    """Not a picture, or of a format that is not switched on (protocol section 6, `media_type_refused`)."""


@dataclass(frozen=True)
class Sniffed:
    """What the header says. A size is None when the header is cut off: a damaged picture, but a picture."""

    media_type: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Picture:
    """What a strict decoder found. Sizes are as coded, in pixels, before `orientation` (1 to 8) is applied."""

    media_type: str | None
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    frames: int = 1
    trailing_bytes: int = 0
    damaged: str | None = None  # why it cannot be evidence, None when it is whole
    c2pa: bool = False  # holds C2PA content credentials, which nobody validated


def sniff(path: Path, *, heif: bool = False) -> Sniffed:
    """Judge a file by magic and header. Raises MediaTypeRefused or TooManyPixels, after which it is not kept."""
    with mapped(path) as data:
        media_type = type_of(data)
        if media_type is None:
            raise MediaTypeRefused("not a JPEG, PNG or WebP picture")
        if media_type in MODERN and not heif:
            raise MediaTypeRefused(f"{media_type} is not switched on here")
        if media_type == "image/heic" and find_spec("pillow_heif") is None:
            raise MediaTypeRefused("image/heic needs the package pillow-heif")
        layout = walk(media_type, data, header_only=True)
    if (layout.width or 0) * (layout.height or 0) > MOST_PIXELS:
        raise TooManyPixels(f"{layout.width} x {layout.height} pixels, at most {MOST_PIXELS} are taken")
    return Sniffed(media_type, layout.width, layout.height)


def decode(path: Path) -> Picture:
    """Decode the whole picture strictly, within bounds of time, processor and memory.

    Whatever a hostile file does is `damaged` in the result. Raises sandbox.ChildLost (try again later) and
    sandbox.CallFailed (a fault of ours), which say nothing about the picture.
    """
    try:
        return Picture(**sandbox.run(strict_decode, str(path.resolve()), cpu_s=_seconds_for(path)))
    except sandbox.OutOfBounds as bound:
        with mapped(path) as data:
            media_type = type_of(data)
        return Picture(media_type, damaged=f"the picture {bound}")


def _seconds_for(path: Path) -> int:
    """How long a file of such a size may take, ten times what a camera's does: one of hundreds of scans, made to hold
    up all others, is given up early (evidence.md, threat 27)."""
    with mapped(path) as data:
        media_type = type_of(data)
        layout = walk(media_type, data, header_only=True) if media_type else None
        pixels = (layout.width or 0) * (layout.height or 0) if layout else 0
        return min(sandbox.CPU_S, ceil(LEAST_S + len(data) / BYTES_A_SECOND + pixels / PIXELS_A_SECOND))


def inspect(path: Path, *, heif: bool = False) -> Picture:
    """Sniff, then decode: the strict check in one step, for files that nobody waits for."""
    sniff(path, heif=heif)
    return decode(path)
