"""What a check found in a file, as JSON: it stands in `Photo.found` and is shown as `evidence.media`.

Serves the check (media/checks.py) and evidence whose photo was checked before it came: both flag from the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from media.exif import ExifReading, LonLat
from media.flags import Flag, Tolerances, file_flags, place_flags, size_flags, time_flags
from media.pictures import Picture
from schemas.values import parse_time, stamp

# Clock: evidence.md, threat 21 (from the beacon to five minutes after receipt). Place: threat 20. The others are wide
# enough for a slow shutter dialogue and for a fix that a phone took before it went under a roof.
TOLERANCES = Tolerances(clock_ahead_s=300, clock_behind_s=0, exif_s=300, gps_s=3600, place_m=50)
OF_PICTURE = ("media_type", "width", "height", "orientation", "frames", "trailing_bytes", "damaged", "c2pa")
TIMES = ("taken_at", "gps_at")


def facts_of(picture: Picture, reading: ExifReading, size: int | None = None) -> dict[str, Any]:
    """Picture, metadata and `size` in bytes as one document; what is not known is left out. Sizes in pixels are as
    coded, times UTC."""
    exif = asdict(reading)
    exif |= {name: stamp(at) for name in TIMES if (at := exif[name]) is not None}
    if reading.position is not None:
        exif["position"] = {"lon": reading.position.lon, "lat": reading.position.lat}
    found = {name: getattr(picture, name) for name in OF_PICTURE} | {"bytes": size}
    return {**_known(found), "exif": _known(exif)}


def flags_from(found: Mapping[str, Any], evidence: Mapping[str, Any],
               tolerances: Tolerances = TOLERANCES) -> list[Flag]:
    """What a checked photo says against one evidence record; `evidence` are the record's fields, bracket included."""
    reading, picture = _reading(found.get("exif") or {}), Picture(**{name: found[name] for name in OF_PICTURE
                                                                    if name in found})
    return [*time_flags(evidence, reading, evidence.get("bracket") or {}, tolerances),
            *place_flags(evidence, reading, tolerances), *file_flags(reading, picture),
            *size_flags(evidence, found.get("bytes"))]


def _reading(exif: Mapping[str, Any]) -> ExifReading:
    known = {field.name: exif[field.name] for field in fields(ExifReading) if field.name in exif}
    known |= {name: parse_time(known[name]) for name in TIMES if name in known}
    if "position" in known:
        known["position"] = LonLat(**known["position"])
    return ExifReading(**known)


def _known(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None and value is not False and value != []}
