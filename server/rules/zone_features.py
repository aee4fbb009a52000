"""One GeoJSON feature of a zone import, read with suspicion: what it must say, and what is wrong with it (protocol.md
8).

Nothing here trusts the shape of what came: any JSON value gives either an `Accepted` or a `FeatureRefused`. Serves
zone_import.py, which compares features with each other and with the zones in force.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from schemas.positions import CRS_NAMES, METRES_A_DEGREE
from schemas.values import parse_time
from server.reference import gcj02_area
from server.rules.crs import ring_to_4490
from server.rules.identity import uscc_warnings

BEIJING = timezone(timedelta(hours=8))
LONGEST_TEXT = 500
LEAST_M2 = 1.0
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # control characters and lone surrogates
KNOWN_SCOPE = Callable[[str], bool]


class FeatureRefused(Exception):
    """A feature that cannot be imported; `code` is stable, `detail` one sentence in Chinese, then English."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, eq=False)
class Accepted:
    """A feature fit to become a zone version; `outline` in degrees of EPSG:4490, `warnings` for a person to look at."""

    index: int
    zone_id: str | None
    name: str
    road: str
    section: str
    scope: str
    party: dict[str, Any]
    sticker_serial: str | None
    valid_from: datetime
    valid_to: datetime | None
    outline: BaseGeometry
    warnings: list[str] = field(default_factory=list)


def read_feature(index: int, feature: object, scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE) -> Accepted:
    """Read one feature by itself; raises FeatureRefused."""
    if not isinstance(feature, Mapping) or feature.get("type", "Feature") != "Feature":
        raise FeatureRefused("invalid_geometry", "不是 GeoJSON 要素。Not a GeoJSON Feature.")
    properties = feature.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    name = _text(properties, "name", required=True)
    scope = _scope(properties, scopes, known_scope)
    party, warnings = _party(properties)
    valid_from = _moment(properties, "valid_from", required=True)
    valid_to = _moment(properties, "valid_to")
    assert valid_from is not None  # required
    if valid_to is not None and valid_to <= valid_from:
        raise _invalid("valid_to", "必须晚于 valid_from", "must be later than valid_from")
    return Accepted(
        index=index,
        zone_id=_zone_id(properties) or _feature_id(feature),
        name=name,
        road=_text(properties, "road"),
        section=_text(properties, "section"),
        scope=scope,
        party=party,
        sticker_serial=_text(properties, "sticker_serial") or None,
        valid_from=valid_from,
        valid_to=valid_to,
        outline=_outline(feature.get("geometry"), _crs(properties)),
        warnings=warnings,
    )


def _text(values: Mapping[Any, Any], key: str, *, required: bool = False, path: str = "") -> str:
    value = values.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        if required:
            raise _missing(path + key)
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or UNFIT.search(value):
        raise _invalid(
            path + key, f"不是 {LONGEST_TEXT} 字以内的文本", f"is no text of at most {LONGEST_TEXT} characters"
        )
    return value.strip()


def _scope(properties: Mapping[Any, Any], scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE) -> str:
    scope = _text(properties, "scope", required=True)
    if not known_scope(scope):
        raise FeatureRefused("scope_unknown", f"区划代码 {scope[:40]} 未知。Scope {scope[:40]} is not known.")
    if scopes is not None and not any(scope.startswith(one) for one in scopes):
        raise FeatureRefused(
            "out_of_scope",
            f"区划 {scope} 不在导入人的管辖范围内。Scope {scope} is not covered by the importer's scopes.",
        )
    return scope


def _party(properties: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    party = properties.get("party")
    if party is None:
        raise _missing("party")
    if not isinstance(party, Mapping):
        raise _invalid("party", "不是对象", "is no object")
    kept = {"name": _text(party, "name", required=True, path="party.")}
    kept |= {key: text for key in ("uscc", "contact") if (text := _text(party, key, path="party."))}
    return kept, uscc_warnings(kept["uscc"]) if "uscc" in kept else []


def _moment(properties: Mapping[Any, Any], key: str, *, required: bool = False) -> datetime | None:
    """An RFC 3339 time, or a day, which begins at 00:00 in Beijing."""
    text = _text(properties, key, required=required)
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return datetime.fromisoformat(text).replace(tzinfo=BEIJING).astimezone(UTC)
        return parse_time(text)
    except (ValueError, OverflowError):
        raise _invalid(key, "不是日期或 RFC 3339 时间", "is neither a date nor an RFC 3339 time") from None


def _zone_id(properties: Mapping[Any, Any]) -> str | None:
    text = _text(properties, "zone_id")
    if not text:
        return None
    try:
        zone_id = str(UUID(text))
    except ValueError:
        zone_id = ""
    if zone_id != text.lower():
        raise _invalid("zone_id", "不是 UUID", "is no UUID")
    return zone_id


def _feature_id(feature: Mapping[Any, Any]) -> str | None:
    """The Feature's own `id` (RFC 7946 section 3.2) where it is a UUID; other ids are the sender's own affair."""
    stated = feature.get("id")
    try:
        found = str(UUID(stated)) if isinstance(stated, str) else None
    except ValueError:
        return None
    return found if found == str(stated).lower() else None


def _crs(properties: Mapping[Any, Any]) -> str:
    """Absent means EPSG:4326, as RFC 7946 has it."""
    crs = properties.get("crs")
    if crs is None:
        return "EPSG:4326"
    if crs not in CRS_NAMES:
        raise FeatureRefused(
            "crs_unknown", f"坐标系须为 {'、'.join(CRS_NAMES)} 之一。The crs must be one of {', '.join(CRS_NAMES)}."
        )
    return str(crs)


def _outline(geometry: object, crs: str) -> BaseGeometry:
    """A valid polygon or multipolygon in EPSG:4490."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(coordinates, list | tuple) or not coordinates:
        raise _geometry("不是多边形", "is no Polygon or MultiPolygon with coordinates")
    parts = [_polygon(rings, crs) for rings in ([coordinates] if kind == "Polygon" else coordinates)]
    outline = parts[0] if kind == "Polygon" else shapely.MultiPolygon(parts)
    if not outline.is_valid:
        reason = shapely.is_valid_reason(outline)
        if "Self-intersection" in reason:
            raise FeatureRefused("self_crossing", f"边界自相交。The outline crosses itself: {reason}.")
        raise _geometry("无效", f"is not valid: {reason}")
    if outline.area * METRES_A_DEGREE**2 < LEAST_M2:
        raise _geometry("没有面积", f"has no area to speak of: less than {LEAST_M2} m²")
    if not shapely.box(*gcj02_area().bounds).covers(outline):
        raise FeatureRefused("out_of_scope", "边界远离所有区划。The outline lies far from every division.")
    return outline


def _polygon(rings: object, crs: str) -> shapely.Polygon:
    if not isinstance(rings, list | tuple) or not rings:
        raise _geometry("缺少环", "has no ring")
    shell, *holes = [ring_to_4490(_ring(ring), crs) for ring in rings]
    return shapely.Polygon(shell, holes)


def _ring(ring: object) -> list[tuple[float, float]]:
    """At least four positions, the last one equal to the first (RFC 7946 section 3.1.6)."""
    if not isinstance(ring, list | tuple) or len(ring) < 4:
        raise _geometry("环的点数不足四个", "has a ring of fewer than four positions")
    points = [_point(position) for position in ring]
    if points[0] != points[-1]:
        raise _geometry("环未闭合", "has a ring that is not closed")
    return points


def _point(position: object) -> tuple[float, float]:
    """(lon, lat) in degrees; a height is dropped."""
    if not isinstance(position, list | tuple) or not 2 <= len(position) <= 4:
        raise _geometry("含有非坐标点", "has a position that is no pair of numbers")
    lon, lat = position[0], position[1]
    if type(lon) not in (int, float) or type(lat) not in (int, float):
        raise _geometry("坐标不是数字", "has a coordinate that is no number")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or math.isnan(lon) or math.isnan(lat):
        raise _geometry("坐标超出经纬度范围", "has a coordinate outside longitude and latitude")
    return float(lon), float(lat)


def _missing(path: str) -> FeatureRefused:
    return FeatureRefused("missing_property", f"缺少属性 {path}。Property {path} is missing.")


def _invalid(path: str, chinese: str, english: str) -> FeatureRefused:
    return FeatureRefused("invalid_property", f"属性 {path} {chinese}。Property {path} {english}.")


def _geometry(chinese: str, english: str) -> FeatureRefused:
    return FeatureRefused("invalid_geometry", f"边界{chinese}。The outline {english}.")
