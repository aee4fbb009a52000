"""Reads the few EXIF tags that evidence needs from a TIFF structure (CIPA DC-008, TIFF 6.0). Serves media/exif.py.

Only wanted tags are read, each directory once and each value clipped, so that loops, huge counts and overlapping values
in a hostile file cost nothing. A general reader copies every value of every directory.
"""

import struct
from collections.abc import Iterator
from math import nan
from typing import NamedTuple

Value = str | tuple[float, ...]

LONGEST_TEXT_BYTES = 1024
MOST_NUMBERS = 16
ASCII_TYPES = {2, 129}  # ASCII; UTF-8 since Exif 3.0
NUMBER_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 11: "f", 12: "d"}
RATIONAL_TYPES = {5: "I", 10: "i"}
POINTERS = {0x8769: "Exif", 0x8825: "GPS", 0xA005: "Interoperability"}
WANTED = {
    "IFD0": {0x010F: "Make", 0x0110: "Model", 0x0112: "Orientation", 0x0131: "Software"},
    "Exif": {0x9003: "DateTimeOriginal", 0x9011: "OffsetTimeOriginal", 0x9012: "OffsetTimeDigitized",
             0x9291: "SubSecTimeOriginal"},
    "GPS": {1: "GPSLatitudeRef", 2: "GPSLatitude", 3: "GPSLongitudeRef", 4: "GPSLongitude", 7: "GPSTimeStamp",
            29: "GPSDateStamp"},
    "Interoperability": {},
}


class Entry(NamedTuple):
    """One directory entry: `length` values of type `kind`, in or by way of the four bytes at `at`."""

    tag: int
    kind: int
    length: int
    at: int


def read_tags(blob: bytes) -> tuple[dict[str, Value], list[str]]:
    """Return the wanted tags by name and what could not be read. Numbers come as tuples, rationals as quotients."""
    tags: dict[str, Value] = {}
    problems: list[str] = []
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(blob[:4])
    if order is None or len(blob) < 8:
        return {}, ["EXIF: no TIFF header"]
    waiting, seen = [("IFD0", struct.unpack_from(order + "I", blob, 4)[0])], set()
    while waiting:
        directory, at = waiting.pop(0)
        if at in seen:
            problems.append(f"{directory}: the directory refers back to an earlier one")
            continue
        seen.add(at)
        for entry in _entries(blob, order, directory, at, problems):
            if entry.tag in POINTERS and POINTERS[entry.tag] not in (name for name, _ in waiting):
                if entry.kind in (4, 13) and entry.length == 1:
                    waiting.append((POINTERS[entry.tag], struct.unpack_from(order + "I", blob, entry.at)[0]))
                else:
                    problems.append(f"{POINTERS[entry.tag]}: the pointer has the wrong type")
            elif name := WANTED[directory].get(entry.tag):
                try:
                    tags.setdefault(name, _value(blob, order, entry))
                except (ValueError, struct.error, ZeroDivisionError) as error:
                    problems.append(f"{name}: {error}")
    return tags, problems


def _entries(blob: bytes, order: str, directory: str, at: int, problems: list[str]) -> Iterator[Entry]:
    """Yield the entries that lie in the structure; a value of up to four bytes lies in its entry."""
    if at + 2 > len(blob):
        problems.append(f"{directory}: the directory lies outside")
        return
    [count] = struct.unpack_from(order + "H", blob, at)
    for start in range(at + 2, at + 2 + 12 * count, 12):
        if start + 12 > len(blob):
            problems.append(f"{directory}: the directory is cut off")
            return
        tag, kind, values = struct.unpack_from(order + "HHI", blob, start)
        yield Entry(tag, kind, values, start + 8)


def _value(blob: bytes, order: str, entry: Entry) -> Value:
    """Decode one value, clipped; raises ValueError when it lies outside or has another type than text or numbers."""
    if entry.kind in ASCII_TYPES:
        at = _place(blob, order, entry, entry.length)
        return blob[at : at + min(entry.length, LONGEST_TEXT_BYTES)].partition(b"\0")[0].decode("utf-8", "replace")
    count = min(entry.length, MOST_NUMBERS)
    if letter := NUMBER_TYPES.get(entry.kind):
        at = _place(blob, order, entry, struct.calcsize(letter) * entry.length)
        return struct.unpack_from(f"{order}{count}{letter}", blob, at)
    if letter := RATIONAL_TYPES.get(entry.kind):
        at = _place(blob, order, entry, 8 * entry.length)
        parts = struct.unpack_from(f"{order}{2 * count}{letter}", blob, at)
        return tuple(_quotient(above, below) for above, below in zip(parts[::2], parts[1::2], strict=True))
    raise ValueError(f"a value of type {entry.kind}")


def _quotient(above: int, below: int) -> float:
    """Divide; 0/0 is how EXIF writes "unknown", here NaN."""
    return nan if above == below == 0 else above / below


def _place(blob: bytes, order: str, entry: Entry, length: int) -> int:
    at: int = entry.at if length <= 4 else struct.unpack_from(order + "I", blob, entry.at)[0]
    if at + length > len(blob):
        raise ValueError("the value lies outside")
    return at
