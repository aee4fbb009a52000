"""One GeoJSON feature of a zone import, read with suspicion: what it must say, and what is wrong with it (protocol.md
8).

Nothing here trusts the shape of what came: any JSON value gives either an `Accepted` or a `FeatureRefused`. Serves
zone_import.py, which compares features with each other and with the zones in force.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from schemas.positions import METRES_A_DEGREE
from schemas.values import parse_time
from server.reference import gcj02_area
from server.rules.crs import ring_to_4490
from server.rules.features import (
    KNOWN_SCOPE,
    FeatureRefused,
    crs_of,
    invalid,
    missing,
    parts_of,
    point_of,
    scope_of,
    text_of,
)
from server.rules.identity import uscc_warnings

BEIJING = timezone(timedelta(hours=8))
LEAST_M2 = 1.0
LONGEST_NAME, LONGEST_ROAD, LONGEST_SERIAL = 300, 200, 80  # as wide as the columns of the register


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
    feature, properties = parts_of(feature)
    name = text_of(properties, "name", required=True, longest=LONGEST_NAME)
    scope = scope_of(properties, scopes, known_scope)
    party, warnings = _party(properties)
    valid_from = _moment(properties, "valid_from", required=True)
    valid_to = _moment(properties, "valid_to")
    assert valid_from is not None  # required
    if valid_to is not None and valid_to <= valid_from:
        raise invalid("valid_to", "必须晚于 valid_from", "must be later than valid_from")
    return Accepted(
        index=index,
        zone_id=_zone_id(properties) or _feature_id(feature),
        name=name,
        road=text_of(properties, "road", longest=LONGEST_ROAD),
        section=text_of(properties, "section", longest=LONGEST_ROAD),
        scope=scope,
        party=party,
        sticker_serial=text_of(properties, "sticker_serial", longest=LONGEST_SERIAL) or None,
        valid_from=valid_from,
        valid_to=valid_to,
        outline=_outline(feature.get("geometry"), crs_of(properties)),
        warnings=warnings,
    )


def _party(properties: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    party = properties.get("party")
    if party is None:
        raise missing("party")
    if not isinstance(party, Mapping):
        raise invalid("party", "不是对象", "is no object")
    kept = {"name": text_of(party, "name", required=True, path="party.")}
    kept |= {key: text for key in ("uscc", "contact") if (text := text_of(party, key, path="party."))}
    return kept, uscc_warnings(kept["uscc"]) if "uscc" in kept else []


def _moment(properties: Mapping[Any, Any], key: str, *, required: bool = False) -> datetime | None:
    """An RFC 3339 time, or a day, which begins at 00:00 in Beijing."""
    text = text_of(properties, key, required=required)
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return datetime.fromisoformat(text).replace(tzinfo=BEIJING).astimezone(UTC)
        return parse_time(text)
    except (ValueError, OverflowError):
        raise invalid(key, "不是日期或 RFC 3339 时间", "is neither a date nor an RFC 3339 time") from None


def _zone_id(properties: Mapping[Any, Any]) -> str | None:
    text = text_of(properties, "zone_id")
    if not text:
        return None
    try:
        zone_id = str(UUID(text))
    except ValueError:
        zone_id = ""
    if zone_id != text.lower():
        raise invalid("zone_id", "不是 UUID", "is no UUID")
    return zone_id


def _feature_id(feature: Mapping[Any, Any]) -> str | None:
    """The Feature's own `id` (RFC 7946 section 3.2) where it is a UUID; other ids are the sender's own affair."""
    stated = feature.get("id")
    try:
        found = str(UUID(stated)) if isinstance(stated, str) else None
    except ValueError:
        return None
    return found if found == str(stated).lower() else None


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
    points = [point_of(position, _geometry) for position in ring]
    if points[0] != points[-1]:
        raise _geometry("环未闭合", "has a ring that is not closed")
    return points


def _geometry(chinese: str, english: str) -> FeatureRefused:
    return FeatureRefused("invalid_geometry", f"边界{chinese}。The outline {english}.")
