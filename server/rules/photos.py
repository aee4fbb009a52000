"""What speaks against a photo beside its maker's track: it is late, looks like a screenshot, lies elsewhere. Pure.

Each function gives the `detail` of a flag, or None. Figures stand in `server/reference/photos.json`, sizes of screens
in `screens.csv`; places are EPSG:4490, degrees. What is said holds no place, for flags are read by many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from schemas.positions import distance_m
from server.rules.zones import Box

Detail = dict[str, Any]
STREET_DIGITS = 9  # a longer scope is a grid inside a street (CJ/T 349-2010)


class Claim(NamedTuple):
    """A place in EPSG:4490 degrees, and the radius in metres in which it claims to be true."""

    lon: float
    lat: float
    accuracy_m: float


def late(times: Mapping[str, datetime], beacon: datetime | None, received: datetime, figures: Mapping[str, Any]
         ) -> Detail | None:
    """Say that a photo came long after it was taken, by which of the clocks `device`, `file` and `gps`.

    The device must say so, for where only the file or its satellites do, it is a `time_conflict`. A clock that claims a
    time before the beacon is wrong and says nothing here, and satellites overrule the other two. Without beacon and
    satellites a device's clock stands alone, which the rule says.
    """
    most = timedelta(hours=figures["late_most_h"])
    before = {name: received - at for name, at in times.items()
              if received - at > most and (beacon is None or at >= beacon)}
    if "device" not in before or ("gps" in times and "gps" not in before):
        return None
    rules = [f"{name} more than {figures['late_most_h']:g} h before the receipt" for name in before]
    if beacon is None and "gps" not in before:
        rules.append("no beacon and no satellite bears that out")
    return {"rule": "; ".join(rules), "clocks": list(before), **({} if beacon is None else {
        "bracket_h": _hours(received - beacon)}), **{f"{name}_h": _hours(apart) for name, apart in before.items()}}


def like_a_screenshot(media: Mapping[str, Any], screens: Iterable[Mapping[str, str]]) -> Detail | None:
    """Say that a checked file names no camera and has the size of a screen.

    Browsers and messengers strip the camera from photos, too: so a JPEG or WebP counts only at sizes that no camera
    takes and no messenger scales to, while a PNG, which no camera writes, counts at every size but those of the video
    modes (1920 x 1080 and the like), in which a browser's camera gives its pictures.
    """
    exif, width, height = media.get("exif") or {}, media.get("width"), media.get("height")
    if width is None or height is None or exif.get("make") or exif.get("model"):
        return None
    kind = str(media.get("media_type")).removeprefix("image/").replace("webp", "jpeg")
    upright = [str(min(width, height)), str(max(width, height))]
    for row in screens:
        if [row["width"], row["height"]] == upright and kind in row["formats"].split():
            return {"rule": "the size of a screen, and no camera is named", "width": width, "height": height,
                    "screens": row["devices"]}
    return None


def far_from_record(name: str, claim: Claim, about: Claim, figures: Mapping[str, Any]) -> Detail | None:
    """Say that a claimed place lies too far from that of the record which the photo is about."""
    apart_m = distance_m(claim.lon, claim.lat, about.lon, about.lat)
    if apart_m <= claim.accuracy_m + about.accuracy_m + figures["about_beyond_m"]:
        return None
    return {"rule": f"{name} and record more than accuracies + {figures['about_beyond_m']:g} m apart",
            "between": [name, "about"], "distance_m": round(apart_m, 1), "accuracy_m": claim.accuracy_m,
            "about_accuracy_m": about.accuracy_m}


def outside_scope(name: str, claim: Claim, scope: str, box: Box, figures: Mapping[str, Any]) -> Detail | None:
    """Say that a claimed place lies too far outside the box around the zones of a scope."""
    apart_m = distance_m(claim.lon, claim.lat, min(max(claim.lon, box.west), box.east),
                         min(max(claim.lat, box.south), box.north))
    if apart_m <= claim.accuracy_m + figures["scope_beyond_m"]:
        return None
    return {"rule": f"{name} more than accuracy + {figures['scope_beyond_m']:g} m outside the zones of {scope}",
            "between": [name, "scope"], "distance_m": round(apart_m, 1), "accuracy_m": claim.accuracy_m}


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)
