"""Walks JPEG files (ITU T.81 annex B), their metadata segments, and the further frames of MPO (CIPA DC-007)."""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from media.formats.layout import Buffer, Layout, is_c2pa, metadata

SOI, EOI, SOS, APP1, APP2, APP11, APP13 = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xEB, 0xED
FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without DHT, JPG and DAC
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and RSTn carry no length
MARKER = re.compile(rb"\xff+[^\x00\xff]")
# What ends coded picture bytes: any marker but a restart; ff 00 is a stuffed byte, ff ff is fill.
SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Old cameras leave a byte or two between header segments, which every decoder skips; a zeroed block is longer.
MOST_PADDING = 64
MOST_SEGMENTS = 20_000


class Segment(NamedTuple):
    """One marker segment: its marker begins at `at`, its content is `start` up to `end`."""

    marker: int
    at: int
    start: int
    end: int


def begins_well(data: Buffer) -> bool:
    """Say whether a marker that may stand in a header follows the start of image."""
    return data[2:3] == b"\xff" and (data[3:4] >= b"\xc0" or data[3:4] == b"\x01" or data[3:4] == b"")


def walk(data: Buffer, header_only: bool) -> Layout:
    """Walk from start to end of image; trailing bytes are those that no frame covers."""
    layout, behind, scanning = Layout(), 2, False
    index: list[int] = []
    for segment in segments(data, 0):
        if segment.at > behind and not scanning:
            layout.padding.append((behind, segment.at))
        behind = segment.end
        if segment.marker == EOI:
            break
        if segment.marker in FRAME_HEADERS and layout.width is None and segment.end - segment.start >= 6:
            layout.height, layout.width = struct.unpack(">HH", data[segment.start + 1 : segment.start + 5])
        elif segment.marker == SOS:
            if header_only:
                return layout
            scanning = True
        elif not scanning:
            _keep_metadata(layout, data, segment)
            index = index or _frame_starts(data, segment)
    else:
        layout.spoil("the file ends before the picture does")
    if sum(end - start for start, end in layout.padding) > MOST_PADDING:
        layout.spoil("bytes between the header segments belong to none")
    covered = behind + _walk_frames(layout, data, [start for start in index if start >= behind])
    layout.trailing_bytes = len(data) - covered
    return layout


def segments(data: Buffer, start: int) -> Iterator[Segment]:
    """Yield the segments of the image that starts at `start`, the end of image last; ends early where the bytes do."""
    at = start + 2
    for _ in range(MOST_SEGMENTS):
        found = MARKER.search(data, at)
        if not found:
            return
        marker, after = data[found.end() - 1], found.end()
        if marker in STANDALONE or marker == EOI:
            yield Segment(marker, found.start(), after, after)
            if marker == EOI:
                return
            at = after
            continue
        length = int.from_bytes(data[after : after + 2], "big")
        if length < 2 or after + length > len(data):
            return
        at = after + length
        if marker == SOS:
            scan_end = SCAN_END.search(data, at)
            at = scan_end.start() if scan_end else len(data)
        yield Segment(marker, found.start(), after + 2, at)


def _keep_metadata(layout: Layout, data: Buffer, segment: Segment) -> None:
    head = bytes(data[segment.start : min(segment.end, segment.start + 29)])
    if segment.marker == APP1 and head.startswith(b"Exif\0") and layout.exif is None:
        layout.exif = metadata(data, segment.start + 6, segment.end)
    elif segment.marker == APP1 and head == b"http://ns.adobe.com/xap/1.0/\0" and layout.xmp is None:
        layout.xmp = metadata(data, segment.start + 29, segment.end)
    elif segment.marker == APP13 and head.startswith(b"Photoshop 3.0\0") and layout.iptc is None:
        layout.iptc = metadata(data, segment.start + 14, segment.end)
    elif segment.marker == APP11 and head.startswith(b"JP"):  # JUMBF in JPEG (ISO 19566-5 annex D): JP, En, Z, box
        layout.c2pa = layout.c2pa or is_c2pa(bytes(data[segment.start + 8 : min(segment.end, segment.start + 48)]))


def _frame_starts(data: Buffer, segment: Segment) -> list[int]:
    """Return where the multi-picture index says that frames begin; empty when the segment is no such index."""
    base = segment.start + 4
    if segment.marker != APP2 or data[segment.start : base] != b"MPF\0":
        return []
    tiff = bytes(data[base : segment.end])
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        [at] = struct.unpack_from(order + "I", tiff, 4)
        [count] = struct.unpack_from(order + "H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, size, offset = struct.unpack_from(order + "HHII", tiff, entry)
            if tag == 0xB002:  # MP entries of 16 bytes: attributes, size, offset, two dependents
                starts = (struct.unpack_from(order + "I", tiff, offset + 16 * n + 8)[0] for n in range(size // 16))
                return sorted({base + start for start in starts if start})
    except struct.error:
        return []  # an index that leads out of its segment points at nothing
    return []


def _walk_frames(layout: Layout, data: Buffer, starts: list[int]) -> int:
    """Count the further frames that are really there; returns the bytes that they cover."""
    covered, behind = 0, 0
    for start in starts:
        if start < behind or data[start : start + 3] != b"\xff\xd8\xff":
            continue
        last = max(segments(data, start), key=lambda segment: segment.end, default=None)
        if last is not None and last.marker == EOI:
            layout.frames += 1
            covered += last.end - start
            behind = last.end
    return covered
