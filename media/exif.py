"""What a photo's own metadata claims: camera, time, place. Serves the background check (media/flags.py) and the pages.

Claims, not facts: everything here can be edited. Nothing raises; what cannot be read or used stands in `problems`.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from math import isnan
from pathlib import Path
from typing import NamedTuple

from media.formats import Layout, TooManyPixels, mapped, type_of, walk
from media.formats.tiff import Value, read_tags
from media.formats.xmp import read_iptc, read_xmp

LONGEST_TEXT = 256
# DateTimeOriginal is local time. A camera in China that names no offset shows UTC+8 (GB 11643 legal time).
ASSUMED_OFFSET = timedelta(hours=8)
PLAUSIBLE_YEARS = range(1990, 2100)
DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.(\d{1,6})\d*)?\s*(Z|[+-]\d\d:?\d\d)?")
XMP_DEGREES = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")


class LonLat(NamedTuple):
    """A point in degrees of WGS 84, as EXIF has it."""

    lon: float
    lat: float


@dataclass
class ExifReading:
    """The claims of one file. Times are UTC; `datetime_original` and `offset` are as written; sizes as coded."""

    make: str | None = None
    model: str | None = None
    software: str | None = None
    orientation: int | None = None  # 1 to 8
    width: int | None = None
    height: int | None = None
    datetime_original: str | None = None
    datetime_group: str | None = None  # EXIF, XMP or IPTC
    offset: str | None = None
    assumed_offset: bool = False  # no offset stood there: taken_at was reckoned with +08:00
    taken_at: datetime | None = None
    gps_at: datetime | None = None
    position: LonLat | None = None
    problems: list[str] = field(default_factory=list)


def read_exif(path: Path) -> ExifReading:
    """Read EXIF, XMP, IPTC and PNG text of a JPEG, PNG, WebP, HEIC or AVIF file; another file claims nothing."""
    with mapped(path) as data:
        media_type = type_of(data)
        if media_type is None:
            return ExifReading(problems=["no picture"])
        try:
            layout = walk(media_type, data)
        except TooManyPixels as bomb:
            return ExifReading(problems=[str(bomb)])
    return reading_of(layout)


def reading_of(layout: Layout) -> ExifReading:
    """Make the reading of a walked file."""
    reading = ExifReading(width=layout.width, height=layout.height)
    tags, troubles = read_tags(layout.exif) if layout.exif else ({}, [])
    properties, more = read_xmp(layout.xmp) if layout.xmp else ({}, [])
    reading.problems += [_clean(trouble) or "" for trouble in troubles + more]
    reading.make = _text(tags, "Make") or _clean(properties.get("Make"))
    reading.model = _text(tags, "Model") or _clean(properties.get("Model"))
    reading.software = _text(tags, "Software") or _clean(layout.software) or _clean(properties.get("Software"))
    reading.orientation = layout.orientation or _orientation(reading, tags, properties)
    _read_time(reading, tags, properties, read_iptc(layout.iptc) if layout.iptc else {})
    _read_gps_time(reading, tags)
    _read_position(reading, tags, properties)
    return reading


def _clean(text: str | None) -> str | None:
    """Drop control, format (bidi) and private characters and clip; None for what is empty then."""
    if text is None:
        return None
    shown = "".join(character for character in text[: 4 * LONGEST_TEXT] if unicodedata.category(character)[0] != "C")
    return shown.strip()[:LONGEST_TEXT] or None


def _text(tags: dict[str, Value], name: str) -> str | None:
    value = tags.get(name)
    return _clean(value) if isinstance(value, str) else None


def _numbers(tags: dict[str, Value], name: str) -> tuple[float, ...]:
    value = tags.get(name)
    return value if isinstance(value, tuple) else ()


def _orientation(reading: ExifReading, tags: dict[str, Value], properties: dict[str, str]) -> int | None:
    written = properties.get("Orientation", "").strip()
    if "Orientation" not in tags:
        return int(written) if re.fullmatch("[1-8]", written) else None
    value = _numbers(tags, "Orientation")
    if value and value[0] in range(1, 9):
        return int(value[0])
    reading.problems.append("Orientation: not 1 to 8")
    return None


def _read_time(reading: ExifReading, tags: dict[str, Value], properties: dict[str, str], iptc: dict[str, str]) -> None:
    """Take the first of EXIF, XMP and IPTC that says when the picture was taken."""
    written = tags.get("DateTimeOriginal")
    if isinstance(written, str):  # blanks mean "unknown" (CIPA DC-008) and are kept as written
        reading.datetime_original, reading.datetime_group = written[:LONGEST_TEXT], "EXIF"
        reading.offset = _text(tags, "OffsetTimeOriginal") or _text(tags, "OffsetTimeDigitized")
        fraction = _text(tags, "SubSecTimeOriginal") or ""
        written += f".{fraction}" if fraction.isdecimal() and fraction.isascii() else ""
    elif written := _clean(properties.get("DateTimeOriginal")):
        reading.datetime_original, reading.datetime_group = written, "XMP"
    elif "DateCreated" in iptc and "TimeCreated" in iptc:
        day, time = iptc["DateCreated"], iptc["TimeCreated"]
        written = f"{day[:4]}:{day[4:6]}:{day[6:]} {time[:2]}:{time[2:4]}:{time[4:6]}{time[6:9]}:{time[9:]}"
        reading.datetime_original, reading.datetime_group = written, "IPTC"
    else:
        return
    if reading.datetime_original.strip(" :\0"):
        _reckon(reading, written)


def _reckon(reading: ExifReading, written: str) -> None:
    match = DATE.match(written.strip())
    if match is None:
        reading.problems.append(f"DateTimeOriginal: not a time: {_clean(written)}")
        return
    *parts, fraction, zone = match.groups()
    zone = reading.offset = zone or reading.offset
    reading.assumed_offset = zone is None
    try:
        offset = ASSUMED_OFFSET if zone is None else _offset(zone)
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        microsecond = int((fraction or "").ljust(6, "0"))
        local = datetime(year, month, day, hour, minute, second, microsecond, timezone(offset))
        if local.year not in PLAUSIBLE_YEARS:
            raise ValueError(f"the year {local.year}")
        reading.taken_at = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        reading.problems.append(f"DateTimeOriginal: {error}")


def _offset(zone: str) -> timedelta:
    """Read `Z`, `+08:00` or `+0800`; raises ValueError."""
    if zone == "Z":
        return timedelta()
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone)
    if match is None or int(match[2]) > 14 or int(match[3]) > 59:
        raise ValueError(f"the offset {zone}")
    minutes = 60 * int(match[2]) + int(match[3])
    return timedelta(minutes=-minutes if match[1] == "-" else minutes)


def _read_gps_time(reading: ExifReading, tags: dict[str, Value]) -> None:
    """GPSDateStamp and GPSTimeStamp are UTC (CIPA DC-008)."""
    day, clock = _text(tags, "GPSDateStamp"), _numbers(tags, "GPSTimeStamp")
    if not day or not clock:
        return
    try:
        year, month, date = (int(part) for part in re.split(r"[:-]", day))
        hours, minutes, seconds = clock
        midnight = datetime(year, month, date, tzinfo=UTC)
        since = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if year not in PLAUSIBLE_YEARS or not timedelta() <= since <= timedelta(days=1):
            raise ValueError("not a time of day")
        reading.gps_at = midnight + since
    except (ValueError, OverflowError) as error:
        reading.problems.append(f"GPSTimeStamp: {_clean(str(error))}")


def _read_position(reading: ExifReading, tags: dict[str, Value], properties: dict[str, str]) -> None:
    if "GPSLatitude" in tags or "GPSLongitude" in tags:
        lat, lon = (_degrees(tags, name) for name in ("GPSLatitude", "GPSLongitude"))
    elif "GPSLatitude" in properties or "GPSLongitude" in properties:
        lat, lon = (_xmp_degrees(properties.get(name, "")) for name in ("GPSLatitude", "GPSLongitude"))
    else:
        return
    if lat is not None and lon is not None and isnan(lat + lon):
        return  # 0/0: the camera had no fix
    if lat is None or lon is None:
        reading.problems.append("GPS: latitude and longitude are not both given in degrees with their direction")
    elif not (-90 <= lat <= 90 and -180 <= lon <= 180):
        reading.problems.append("GPS: not a place on the earth")
    elif abs(lat) < 0.001 and abs(lon) < 0.001:
        reading.problems.append("GPS: null island (0, 0), which is no measurement")
    else:
        reading.position = LonLat(round(lon, 9), round(lat, 9))


def _degrees(tags: dict[str, Value], name: str) -> float | None:
    """Add degrees, minutes and seconds; some writers give degrees alone."""
    parts, direction = _numbers(tags, name), (_text(tags, f"{name}Ref") or "").upper()
    if not 1 <= len(parts) <= 3 or direction not in (("N", "S") if name == "GPSLatitude" else ("E", "W")):
        return None
    total = sum(part / sixtieths for part, sixtieths in zip(parts, (1, 60, 3600), strict=False))
    return -total if direction in "SW" else total


def _xmp_degrees(text: str) -> float | None:
    match = XMP_DEGREES.fullmatch(text.strip())
    if match is None:
        return None
    total = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    return -total if match[4] in "SW" else total
