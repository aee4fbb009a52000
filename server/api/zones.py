"""Zones: the map of versions in force, the import, and attribution of a place (protocol section 8)."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import orjson
import shapely
from flask import Response, request

from schemas.positions import CRS_NAMES
from schemas.problems import Problem
from schemas.values import parse_time, stamp
from server import zones
from server.api import blueprint
from server.api.openapi import FEATURES, body, query
from server.auth import me, needs_role
from server.db import db, writing
from server.house import house
from server.rules.crs import to_4490
from server.wire import answer, read_json

blp = blueprint("zones", "责任区 Zones")
AT = query("at", "the time in question; now", format="date-time")
IMPORT_BYTES = 64 * 1024 * 1024
GEOJSON = "application/geo+json"


@blp.get("/zones.geojson")
@blp.doc(parameters=[query("bbox", "west,south,east,north in degrees"), AT])
@blp.response(200, content_type=GEOJSON)
def zones_geojson() -> Response:
    """GeoJSON of the zone versions in force at `at` (now) in the caller's scopes, within `bbox` where given."""
    box = _box(request.args.get("bbox"))
    features = features_at(_time(request.args.get("at")), me().scopes, box)
    response = answer({"type": "FeatureCollection", "features": features})
    response.content_type = GEOJSON
    return response


@blp.post("/zones/import")
@blp.doc(requestBody=body(FEATURES, GEOJSON))
@needs_role("admin")
@blp.response(200)
def import_zones() -> Response:
    """Import a FeatureCollection; sound features are imported, the others reported one by one."""
    request.max_content_length = IMPORT_BYTES
    collection = read_json(request)
    checked = zones.check_collection(db.session(), collection, me().scopes)
    with writing() as door:
        found = zones.import_features(door, collection, actor=me().user_id, scopes=me().scopes, checked=checked)
    return answer(found)


@blp.get("/zones/attribute")
@blp.doc(parameters=[
    query("lon", "degrees; or `sticker_serial`", "number"), query("lat", "degrees; or `sticker_serial`", "number"),
    query("crs", "required with `lon` and `lat`", enum=sorted(CRS_NAMES)),
    query("accuracy_m", "radius in metres", "number", minimum=0), query("sticker_serial", "that stands on the sticker"),
    AT])
@blp.response(200)
def attribute() -> Response:
    """Which zone a place lies in: candidates with probabilities, and a decision."""
    given = request.args
    place = None
    if "lon" in given or "lat" in given:
        crs = given.get("crs")
        if not crs:
            raise Problem("crs_missing", "crs is required with lon and lat", errors={"crs": ["required"]})
        if crs not in CRS_NAMES:
            raise Problem("crs_unknown", f"crs must be one of {', '.join(CRS_NAMES)}", errors={"crs": ["unknown"]})
        lon, lat = to_4490(_number("lon", 180), _number("lat", 90), crs)
        place = {"lon": lon, "lat": lat}
    elif "sticker_serial" not in given:
        raise Problem("invalid_request", "lon and lat, or sticker_serial", errors={"lon": ["required"]})
    accuracy = _number("accuracy_m", 1e7) if "accuracy_m" in given else None
    if accuracy is not None and accuracy < 0:
        raise Problem("invalid_request", "accuracy_m must not be negative", errors={"accuracy_m": ["negative"]})
    found = zones.attribute(zones.index_of(db.session()), place=place, accuracy_m=accuracy,
                            at=_time(given.get("at")), sticker_serial=given.get("sticker_serial"))
    return answer(found.as_wire())


def features_at(at: datetime, scopes: tuple[str, ...],
                box: tuple[float, float, float, float] | None) -> list[dict[str, Any]]:
    """Features of the zone versions in force then, in these scopes, touching the box (EPSG:4490 degrees)."""
    return [{"type": "Feature", "id": version.zone_id,
             "geometry": orjson.Fragment(shapely.to_geojson(version.outline)), "properties": {
                 "zone_id": version.zone_id, "version": version.version, "name": version.name, "road": version.road,
                 "section": version.section, "scope": version.scope, "party": version.party,
                 "sticker_serial": version.sticker_serial, "valid_from": stamp(version.valid_from),
                 "valid_to": stamp(version.valid_to) if version.valid_to else None}}
            for version in zones.index_of(db.session()).valid_at(at, bbox=box, scopes=scopes)]


def _number(name: str, most: float) -> float:
    try:
        value = float(request.args.get(name, ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > most:
        raise Problem("invalid_request", f"{name} must be a number", errors={name: ["not a number in range"]})
    return value


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    """`west,south,east,north` in degrees (RFC 7946 section 5)."""
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(",")]
    except ValueError:
        parts = []
    if len(parts) != 4 or not all(map(math.isfinite, parts)) or parts[0] > parts[2] or parts[1] > parts[3]:
        raise Problem("invalid_request", "bbox must be west,south,east,north", errors={"bbox": ["invalid"]})
    return (parts[0], parts[1], parts[2], parts[3])


def _time(text: str | None) -> datetime:
    if text is None:
        return house().clock()
    try:
        return parse_time(text.replace(" ", "+"))
    except ValueError as error:
        raise Problem("invalid_request", f"at: {error}", errors={"at": [str(error)]}) from None
