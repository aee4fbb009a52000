"""Walks WebP files (RFC 9649): RIFF chunks with the size, the frames and the metadata."""

import re
import struct

from media.formats.layout import Buffer, Layout, is_c2pa, metadata

MOST_CHUNKS = 100_000
# A whole 4 KiB page of zeros in coded picture bytes is what a lost write leaves; WebP has no checksum, and its decoder
# says nothing. An evenly black picture of 12 megapixels has runs of 1,160.
LOST_PAGE = re.compile(rb"\x00{4096}")


def walk(data: Buffer, header_only: bool) -> Layout:
    """Walk the chunks that the RIFF header covers; trailing bytes are those behind it."""
    layout = Layout()
    riff_end = 8 + int.from_bytes(data[4:8], "little")
    if riff_end > len(data):
        layout.spoil("the file ends before the picture does")
    layout.trailing_bytes = max(0, len(data) - riff_end - riff_end % 2 if riff_end < len(data) else 0)
    at, end, images = 12, min(riff_end, len(data)), 0
    for _ in range(MOST_CHUNKS):
        if at + 8 > end:
            break
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        start, at = at + 8, at + 8 + length + length % 2
        if start + length > end:
            layout.spoil(f"chunk {kind.decode('latin-1')!r} is longer than the file")
        _keep(layout, data, kind, start, min(start + length, end))
        if kind in (b"VP8 ", b"VP8L", b"ANMF"):
            images += 1
            if not header_only and LOST_PAGE.search(data, start, min(start + length, end)):
                layout.spoil("a block of the coded picture is zero")
        if header_only and layout.width is not None:
            return layout
    if images == 0:
        layout.spoil("the file holds no picture")
    layout.frames = max(1, images)
    return layout


def _keep(layout: Layout, data: Buffer, kind: bytes, start: int, end: int) -> None:
    head = bytes(data[start : min(end, start + 10)])
    if kind in (b"VP8X", b"VP8 ", b"VP8L") and layout.width is None:
        layout.width, layout.height = _size(kind, head)
    elif kind == b"EXIF" and layout.exif is None:
        layout.exif = metadata(data, start, end, b"Exif\0\0")
    elif kind == b"XMP " and layout.xmp is None:
        layout.xmp = metadata(data, start, end)
    elif kind == b"C2PA":
        layout.c2pa = layout.c2pa or is_c2pa(bytes(data[start : min(end, start + 40)]))


def _size(kind: bytes, head: bytes) -> tuple[int | None, int | None]:
    """Read the canvas or the size of the first picture from the first ten bytes of its chunk."""
    if kind == b"VP8X" and len(head) == 10:
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[:1] == b"\x2f" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None, None
