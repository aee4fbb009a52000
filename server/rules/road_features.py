"""The roads of an import: each feature of a file by itself, and which of two that are one road stands.

Pure: any JSON value gives a `Road`, a rejection, or is passed over because it is a polygon (protocol.md section 8).
Serves server/roads.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from server.reference import gcj02_area
from server.rules.crs import ring_to_4490
from server.rules.features import (
    KNOWN_SCOPE,
    FeatureRefused,
    Rejection,
    crs_of,
    invalid,
    parts_of,
    point_of,
    scope_of,
    text_of,
)

NAMESPACE = UUID("0f0c2d0b-64f4-5a5c-9a8e-1f3f4f5f7a51")
LONGEST_ID = 80
WIDEST_M = 200
MOST_POSITIONS = 10_000  # of one road: a telephone draws them
DIGITS = 7  # of a degree: about a centimetre
GROUNDS = ("Polygon", "MultiPolygon")
WIDTHS = ("carriageway_m", "width_m")


@dataclass(frozen=True, eq=False)
class Road:
    """A road or a section of one; `line` in degrees of EPSG:4490, which counts as WGS 84 (crs.py)."""

    index: int
    road_id: str
    name: str
    section: str
    scope: str
    width_m: float | None
    line: BaseGeometry


class Roads(NamedTuple):
    """What may be imported, how many features are no roads, and what is wrong with the rest; in file order."""

    accepted: list[Road]
    skipped: int
    rejected: list[Rejection]


def check_roads(features: Sequence[Any], *, scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE) -> Roads:
    """What may be imported and what may not; raises nothing, whatever came. `scopes`: what the importer covers, None
    for everything. Of two features that are the same road the first stands."""
    found: dict[str, Road] = {}
    skipped, rejected = 0, []
    for index, feature in enumerate(features):
        try:
            road = _read(index, feature, scopes, known_scope)
            if road is None:
                skipped += 1
            elif first := found.get(road.road_id):
                raise _twin(first.index)
            else:
                found[road.road_id] = road
        except FeatureRefused as refused:
            rejected.append(Rejection.of(index, feature, refused))
    return Roads(list(found.values()), skipped, rejected)


def _read(index: int, feature: object, scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE) -> Road | None:
    """One feature, None for a polygon, which is ground and no road."""
    feature, properties = parts_of(feature)
    geometry = feature.get("geometry")
    if isinstance(geometry, Mapping) and geometry.get("type") in GROUNDS:
        return None
    name, section = text_of(properties, "name", required=True), text_of(properties, "section")
    scope = scope_of(properties, scopes, known_scope)
    return Road(index, _road_id(feature, properties, [scope, name, section]), name, section, scope,
                _width_m(properties), _line(geometry, crs_of(properties)))


def _road_id(feature: Mapping[Any, Any], properties: Mapping[Any, Any], names: list[str]) -> str:
    """`road_id`, which means one road everywhere; the Feature's own `id` (RFC 7946 section 3.2) does so within its
    scope; without either scope, name and section are the road."""
    if stated := text_of(properties, "road_id", longest=LONGEST_ID):
        return stated
    own = feature.get("id")
    if own := text_of({"id": str(own) if type(own) in (int, float) else own}, "id"):
        names = [names[0], "id", own]
    return str(uuid5(NAMESPACE, orjson.dumps(names).decode()))


def _width_m(properties: Mapping[Any, Any]) -> float | None:
    for key in WIDTHS:
        width = properties.get(key)
        if width is None:
            continue
        if type(width) not in (int, float) or not 0 < width <= WIDEST_M:
            raise invalid(key, f"不是 {WIDEST_M} 以内的米数", f"is no number of metres up to {WIDEST_M}")
        return float(width)
    return None


def _line(geometry: object, crs: str) -> BaseGeometry:
    """A line or several in EPSG:4490, each longer than nothing."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    if kind not in ("LineString", "MultiLineString") or not isinstance(coordinates, list | tuple) or not coordinates:
        raise _geometry("不是折线", "is no LineString or MultiLineString with coordinates")
    parts = [_part(positions, crs) for positions in ([coordinates] if kind == "LineString" else coordinates)]
    if sum(len(part.coords) for part in parts) > MOST_POSITIONS:
        raise _geometry(f"的点数超过 {MOST_POSITIONS}", f"has more than {MOST_POSITIONS} positions")
    line = parts[0] if kind == "LineString" else shapely.MultiLineString(parts)
    if not shapely.box(*gcj02_area().bounds).covers(line):
        raise FeatureRefused("out_of_scope", "道路远离所有区划。The road lies far from every division.")
    return line


def _part(positions: object, crs: str) -> shapely.LineString:
    if not isinstance(positions, list | tuple) or len(positions) < 2:
        raise _geometry("的点数不足两个", "has a part of fewer than two positions")
    points = np.round(ring_to_4490([point_of(position, _geometry) for position in positions], crs), DIGITS)
    line = shapely.LineString(points)
    if not line.length or not math.isfinite(line.length):
        raise _geometry("没有长度", "has a part without length")
    return line


def _twin(first: int) -> FeatureRefused:
    return FeatureRefused("duplicate_road", f"与文件中第 {first} 个要素是同一条路,请以 road_id 或 section 区分。"
                          f"It is the same road as feature {first} of the file: tell them apart by road_id or section.")


def _geometry(chinese: str, english: str) -> FeatureRefused:
    return FeatureRefused("invalid_geometry", f"道路{chinese}。The road {english}.")
