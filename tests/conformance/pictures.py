"""Picture files made with the standard library: sound PNGs that no other equals, and spoilt ones."""

from __future__ import annotations

import os
import struct
import zlib

METADATA = b"SECRET-OF-THE-CAMERA"


def a_photo(width: int = 480, height: int = 360) -> bytes:
    """A PNG of random coloured blocks with a text chunk, unlike any other."""
    block = 40
    colours: dict[tuple[int, int], bytes] = {}
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # no filter
        for x in range(0, width, block):
            colour = colours.setdefault((x // block, y // block), os.urandom(3))
            rows += colour * min(block, width - x)
    return (b"\x89PNG\r\n\x1a\n" + header(width, height) + chunk(b"tEXt", b"Comment\0" + METADATA)
            + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


def too_many_pixels() -> bytes:
    """A PNG whose header claims 3.6 gigapixels."""
    return (b"\x89PNG\r\n\x1a\n" + header(60_000, 60_000) + chunk(b"IDAT", zlib.compress(os.urandom(8)))
            + chunk(b"IEND", b""))


def header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def size_of(picture: bytes) -> tuple[int, int] | None:
    """(width, height) of a PNG or JPEG; None for any other kind."""
    if picture.startswith(b"\x89PNG"):
        return struct.unpack(">II", picture[16:24])
    at = 2
    while picture.startswith(b"\xff\xd8") and at + 9 < len(picture):
        marker, length = picture[at + 1], int.from_bytes(picture[at + 2:at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width = struct.unpack(">HH", picture[at + 5:at + 9])
            return width, height
        at += 2 + length
    return None
