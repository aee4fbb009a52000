"""Picture files made for tests: sound, damaged and hostile ones, byte by byte where no library would write them."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image

pillow_heif.register_heif_opener()
PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "photos"
with_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs the reference photos in shared/data")


def scene(size: tuple[int, int] = (320, 240), seed: int = 7) -> Image.Image:
    """A picture with detail: coloured blocks, the same for the same seed."""
    random_ = random.Random(seed)
    small = Image.new("RGB", (20, 15))
    small.putdata([tuple(random_.randrange(256) for _ in range(3)) for _ in range(300)])
    return small.resize(size, Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def tiff(ifd0: Iterable[tuple[int, int, int, bytes]] = (), exif: Iterable[tuple[int, int, int, bytes]] = (),
         gps: Iterable[tuple[int, int, int, bytes]] = ()) -> bytes:
    """A little-endian EXIF structure; an entry is (tag, type, count, value bytes)."""
    ifd0, exif, gps = list(ifd0), list(exif), list(gps)
    pointers = [(tag, part) for tag, part in ((0x8769, exif), (0x8825, gps)) if part]
    body, at = b"II*\0\x08\0\0\0", 8
    first = 2 + 12 * (len(ifd0) + len(pointers)) + 4 + _overflow(ifd0)
    places, after = [], at + first
    for _, part in pointers:
        places.append(after)
        after += 2 + 12 * len(part) + 4 + _overflow(part)
    entries = ifd0 + [(tag, 4, 1, struct.pack("<I", place)) for (tag, _), place in zip(pointers, places, strict=True)]
    body += _directory(entries, at)
    for (_, part), place in zip(pointers, places, strict=True):
        body += _directory(part, place)
    return body


def _overflow(entries: list[tuple[int, int, int, bytes]]) -> int:
    return sum(len(value) for *_, value in entries if len(value) > 4)


def _directory(entries: list[tuple[int, int, int, bytes]], at: int) -> bytes:
    values, table = b"", struct.pack("<H", len(entries))
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        table += struct.pack("<HHI", tag, kind, count)
        if len(value) > 4:
            table += struct.pack("<I", behind + len(values))
            values += value
        else:
            table += value.ljust(4, b"\0")
    return table + b"\0\0\0\0" + values


def text(tag: int, content: str | bytes) -> tuple[int, int, int, bytes]:
    raw = (content.encode() if isinstance(content, str) else content) + b"\0"
    return tag, 2, len(raw), raw


def rationals(tag: int, *parts: tuple[int, int]) -> tuple[int, int, int, bytes]:
    return tag, 5, len(parts), b"".join(struct.pack("<II", *part) for part in parts)


def place(lat: tuple[tuple[int, int], ...], lon: tuple[tuple[int, int], ...], north: str = "N",
          east: str = "E") -> list[tuple[int, int, int, bytes]]:
    return [text(1, north), rationals(2, *lat), text(3, east), rationals(4, *lon)]


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg(exif: bytes = b"", xmp: str = "", picture: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG with its metadata segments directly behind the start of image."""
    plain = encoded(picture or scene(), **options)
    head = segment(0xE1, b"Exif\0\0" + exif) if exif else b""
    head += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()) if xmp else b""
    return plain[:2] + head + plain[2:]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def c2pa_store(body: bytes = b"") -> bytes:
    """A C2PA manifest store (a JUMBF superbox with its description box) without a valid manifest."""
    described = b"jumdc2pa" + bytes.fromhex("00110010800000aa00389b71") + b"\x03c2pa\0"
    content = struct.pack(">I", 4 + len(described)) + described + body
    return struct.pack(">I", 8 + len(content)) + b"jumb" + content


def with_c2pa(kind: str, store: bytes) -> bytes:
    """A small JPEG, PNG or WebP with these bytes where its manifest store stands."""
    plain = encoded(scene((64, 48)), kind)
    if kind == "JPEG":
        return plain[:2] + segment(0xEB, b"JP\0\1\0\0\0\1" + store) + plain[2:]
    if kind == "PNG":
        return plain[:33] + chunk(b"caBX", store) + plain[33:]
    behind = plain[12:] + b"C2PA" + struct.pack("<I", len(store)) + store + b"\0" * (len(store) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(behind)) + b"WEBP" + behind


def bomb(megabytes: int = 60) -> bytes:
    """So many megabytes of zeros, deflated."""
    squeeze = zlib.compressobj(9)
    return b"".join(squeeze.compress(bytes(1024 * 1024)) for _ in range(megabytes)) + squeeze.flush()
