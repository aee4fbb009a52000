"""Walks PNG files chunk by chunk (ISO/IEC 15948), with their checksums, and stops inflation bombs before a decoder."""

import struct
import zlib

from media.formats.layout import Buffer, Layout, TooManyPixels, is_c2pa, metadata

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 200_000
# Colour profiles of printers reach 4 MiB; a text chunk is a remark.
LARGEST_INFLATED = 16 * 1024 * 1024
LARGEST_INFLATED_TOGETHER = 64 * 1024 * 1024
XMP_KEYWORD = b"XML:com.adobe.xmp\0"


def walk(data: Buffer, header_only: bool) -> Layout:
    """Walk to IEND, checking every CRC; header only: to the first IDAT, without. Raises TooManyPixels for bombs."""
    layout, at, inflated, shown = Layout(), len(SIGNATURE), 0, 0
    for _ in range(MOST_CHUNKS):
        if at + 12 > len(data):
            break
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        start, end = at + 8, at + 8 + length
        if end + 4 > len(data):
            break
        if not header_only and _crc(data, at + 4, end) != int.from_bytes(data[end : end + 4], "big"):
            layout.spoil(f"chunk {kind.decode('latin-1')!r} does not match its checksum")
        inflated += _inflated_bytes(data, kind, start, end)
        if inflated > LARGEST_INFLATED_TOGETHER:
            raise TooManyPixels("the text chunks inflate beyond use")
        _keep(layout, data, kind, start, end)
        shown += kind == b"fcTL"
        layout.frames = max(layout.frames, shown)
        at = end + 4
        if kind == b"IEND" or (header_only and kind == b"IDAT"):
            layout.trailing_bytes = len(data) - at if kind == b"IEND" else 0
            return layout
    layout.spoil("the file ends before the picture does (no IEND)")
    return layout


def _crc(data: Buffer, start: int, end: int) -> int:
    crc = 0
    for at in range(start, end, 1024 * 1024):
        crc = zlib.crc32(data[at : min(end, at + 1024 * 1024)], crc)
    return crc


def _keep(layout: Layout, data: Buffer, kind: bytes, start: int, end: int) -> None:
    if kind == b"IHDR" and end - start == 13:
        layout.width, layout.height = struct.unpack(">II", data[start : start + 8])
    elif kind == b"acTL" and end - start == 8:
        layout.frames = max(layout.frames, int.from_bytes(data[start : start + 4], "big"))
    elif kind == b"eXIf" and layout.exif is None:
        layout.exif = metadata(data, start, end, b"Exif\0\0")
    elif kind == b"iTXt" and layout.xmp is None and data[start : start + 18] == XMP_KEYWORD:
        layout.xmp = _international_text(metadata(data, start + 18, end))
    elif kind == b"tEXt" and layout.software is None and data[start : start + 9] == b"Software\0":
        layout.software = metadata(data, start + 9, end).decode("latin-1")
    elif kind == b"caBX":
        layout.c2pa = layout.c2pa or is_c2pa(bytes(data[start : min(end, start + 40)]))


def _international_text(content: bytes) -> bytes | None:
    """Return the text behind the flags, language and translated keyword of an iTXt chunk."""
    compressed = content[:1] == b"\1"
    _, _, rest = content[2:].partition(b"\0")
    _, _, text = rest.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(text, LARGEST_INFLATED) if compressed else text
    except zlib.error:
        return None  # unreadable metadata is no metadata; the checksum tells of damage


def _inflated_bytes(data: Buffer, kind: bytes, start: int, end: int) -> int:
    """Inflate what a compressed metadata chunk holds, into nothing, up to the limit; returns its length."""
    if kind not in (b"zTXt", b"iTXt", b"iCCP"):
        return 0
    content = bytes(data[start:end])
    keyword, _, rest = content.partition(b"\0")
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return 0
        _, _, rest = rest[2:].partition(b"\0")
        _, _, stream = rest.partition(b"\0")
    else:
        stream = rest[1:]
    try:
        length = len(zlib.decompressobj().decompress(stream, LARGEST_INFLATED + 1))
    except zlib.error:
        return 0  # the decoder ignores or reports it
    if length > LARGEST_INFLATED:
        raise TooManyPixels(f"the text or profile {keyword[:40].decode('latin-1')!r} inflates beyond use")
    return length
