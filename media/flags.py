"""What about a photo a person must look at: claims of device, file and server that do not agree. Pure.

Serves the background check and the review pages. A flag never refuses a photo (protocol section 6). Each is
`{"code", "detail"}`; `detail` holds the figures and the `rule` that found them, so that a page can print it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from media.exif import PLAUSIBLE_YEARS, ExifReading
from media.pictures import Picture
from schemas.positions import distance_m
from schemas.values import parse_time, stamp

Flag = dict[str, Any]
Times = dict[str, datetime]

# Programs that change pictures, as they sign in the Software tag; compared without case. A camera's own firmware, and
# programs that only copy (QuickTime, iOS), are not here.
EDITORS = (
    "acdsee", "adobe", "affinity", "b612", "beautyplus", "canva", "capture one", "corel", "darktable", "faceapp",
    "facetune", "faceu", "gimp", "imagemagick", "lightroom", "meitu", "olympus master", "paint.net", "paintshop",
    "photo desk", "photodirector", "photoscape", "photoshop", "picasa", "picsart", "pixelmator", "polarr",
    "rawtherapee", "snapseed", "vsco", "windows photo", "xnview", "xiuxiu", "光影魔术手", "可牛", "天天P图",
    "美图", "美颜", "轻颜", "醒图", "黄油相机",
)


@dataclass(frozen=True)
class Tolerances:
    """How far claims may lie apart before a person looks. The city's settings give the figures."""

    clock_ahead_s: float  # device's clock after the receipt
    clock_behind_s: float  # device's clock before the beacon
    exif_s: float  # file against device: one clock, but the shutter and the record are two moments
    gps_s: float  # satellites against clocks: phones write the time of the last fix
    place_m: float  # file against device, on top of the accuracy that the device claims


def time_flags(evidence: Mapping[str, Any], reading: ExifReading, bracket: Mapping[str, str | None],
               tolerances: Tolerances) -> list[Flag]:
    """Return `clock_suspect` and `time_conflict`; `evidence` has `captured_at`, `bracket` as in protocol section 7."""
    claims = _claims(evidence, reading)
    edges = {name: parse_time(at) for name in ("not_before", "not_after") if (at := bracket.get(name))}
    shown = {name: stamp(at) for name, at in {**claims, **edges}.items()}
    flags = []
    suspect = [_outside("device", at, edges, tolerances) or _implausible(at)
               for name, at in claims.items() if name == "device"]
    beacon = capture.get("beacon") if isinstance(capture := evidence.get("capture"), Mapping) else None
    if isinstance(beacon, str) and "not_before" not in edges:
        suspect.append("beacon is no checkpoint of this journal")
    if doubts := [rule for rule in suspect if rule]:
        flags.append(_flag("clock_suspect", rule="; ".join(doubts), **shown))
    rules = [_apart(claims, one, other, tolerances) for one, other in combinations(claims, 2)]
    rules += [_outside(name, at, edges, tolerances) for name, at in claims.items() if name != "device"]
    if broken := [rule for rule in rules if rule]:
        flags.append(_flag("time_conflict", rule="; ".join(broken), assumed_offset=reading.assumed_offset, **shown))
    return flags


def place_flags(evidence: Mapping[str, Any], reading: ExifReading, tolerances: Tolerances) -> list[Flag]:
    """Return `place_conflict` when the file's place lies too far from `position.normalized` (EPSG:4490).

    EXIF is WGS 84, which differs from CGCS 2000 by centimetres, so that both count as one.
    """
    position = evidence.get("position") or {}
    device = position.get("normalized")
    if reading.position is None or not device:
        return []
    accuracy = float(position.get("accuracy_m") or 0)
    apart = distance_m(device["lon"], device["lat"], *reading.position)
    if apart <= accuracy + tolerances.place_m:
        return []
    return [_flag("place_conflict", rule=f"file and device more than accuracy + {tolerances.place_m:g} m apart",
                  between=["device", "file"], distance_m=round(apart, 1), accuracy_m=accuracy, device=dict(device),
                  file={"lon": reading.position.lon, "lat": reading.position.lat})]


def file_flags(reading: ExifReading, picture: Picture, editors: Iterable[str] = EDITORS) -> list[Flag]:
    """Return `exif_invalid`, `trailing_data`, `animated` and `edited_software`.

    The further frames of a JPEG are no animation: telephones write two views of one moment (MPO, CIPA DC-007).
    """
    flags = []
    if reading.problems:
        flags.append(_flag("exif_invalid", rule="unreadable or impossible metadata", problems=list(reading.problems)))
    if picture.trailing_bytes:
        flags.append(_flag("trailing_data", rule="bytes behind the end of the picture",
                           bytes=picture.trailing_bytes, frames=picture.frames))
    if picture.frames > 1 and picture.media_type != "image/jpeg":
        flags.append(_flag("animated", rule="more than one frame, of which the first is looked at",
                           frames=picture.frames))
    software = (reading.software or "").casefold()
    if editor := next((editor for editor in editors if editor.casefold() in software), None):
        flags.append(_flag("edited_software", rule=f"Software names {editor}", software=reading.software))
    return flags


def size_flags(evidence: Mapping[str, Any], size: int | None) -> list[Flag]:
    """Return `size_differs` when the file has another number of bytes than the device declared at capture."""
    declared = evidence.get("bytes")
    if size is None or declared in (None, size):
        return []
    return [_flag("size_differs", rule="another size than declared at capture", declared=declared, bytes=size)]


def _claims(evidence: Mapping[str, Any], reading: ExifReading) -> Times:
    """The times that device, file and satellites claim; a captured_at that is no time was refused at the door."""
    claims = {"device": parse_time(evidence["captured_at"]), "file": reading.taken_at, "gps": reading.gps_at}
    return {name: at for name, at in claims.items() if at is not None}


def _apart(claims: Times, one: str, other: str, tolerances: Tolerances) -> str | None:
    limit = tolerances.gps_s if "gps" in (one, other) else tolerances.exif_s
    apart = abs((claims[one] - claims[other]).total_seconds())
    return f"{one} and {other} {apart:.0f} s apart, at most {limit:g}" if apart > limit else None


def _outside(name: str, at: datetime, edges: Times, tolerances: Tolerances) -> str | None:
    """Say whether a time lies outside the bracket, which no clock of the device can move."""
    early, late = timedelta(seconds=tolerances.clock_behind_s), timedelta(seconds=tolerances.clock_ahead_s)
    if "not_before" in edges and at < edges["not_before"] - early:
        return f"{name} before the beacon"
    if "not_after" in edges and at > edges["not_after"] + late:
        return f"{name} after the receipt"
    return None


def _implausible(at: datetime) -> str | None:
    return None if at.year in PLAUSIBLE_YEARS else f"device in the year {at.year}"


def _flag(code: str, **detail: object) -> Flag:
    return {"code": code, "detail": detail}
