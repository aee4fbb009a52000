"""The zone register: versions in the database, an index of them in memory, and the import (protocol section 8)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

import orjson
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.records import record_type
from schemas.values import parse_time, stamp
from server.models import ZoneRow
from server.reference import known_scope
from server.rules.attribution import Attribution
from server.rules.zone_features import Accepted
from server.rules.zone_import import check_features
from server.rules.zones import ZoneIndex, ZoneVersion
from sync.records import Door
from sync.writers import SERVER

_lock = Lock()
_cache: dict[str, tuple[int, ZoneIndex]] = {}


def index_of(session: Session) -> ZoneIndex:
    """The index of all zone versions; built anew only when a version came."""
    url = str(session.get_bind().engine.url)
    newest = session.execute(select(func.max(ZoneRow.number))).scalar() or 0
    with _lock:
        known = _cache.get(url)
        if known is None or known[0] != newest:
            rows = session.execute(select(ZoneRow).order_by(ZoneRow.zone_id, ZoneRow.version)).scalars()
            known = _cache[url] = (newest, ZoneIndex([version_of(row) for row in rows]))
    return known[1]


def version_of(row: ZoneRow) -> ZoneVersion:
    """A zone version from its table row."""
    return ZoneVersion(zone_id=row.zone_id, version=row.version, name=row.name, road=row.road or "",
                       section=row.section or "", scope=row.scope, party=row.party, sticker_serial=row.sticker_serial,
                       valid_from=parse_time(row.valid_from),
                       valid_to=parse_time(row.valid_to) if row.valid_to else None,
                       outline=shapely.from_geojson(row.outline))


def attribute(session: Session, *, place: Mapping[str, float] | None, accuracy_m: float | None, at: datetime,
              sticker_serial: str | None = None, scopes: Sequence[str] | None = None) -> Attribution:
    """Which zone is meant by a place in EPSG:4490 degrees, a sticker, or both."""
    return index_of(session).attribute(lon=place["lon"] if place else None, lat=place["lat"] if place else None,
                                       accuracy_m=accuracy_m, at=at, sticker_serial=sticker_serial, scopes=scopes)


def in_force(session: Session, zone_id: Any, at: datetime) -> ZoneVersion | None:
    """The version of a zone that was in force then."""
    return index_of(session).in_force(zone_id, at) if isinstance(zone_id, str) else None


def import_features(door: Door, collection: Any, *, actor: str, scopes: Sequence[str] | None) -> dict[str, Any]:
    """Import a FeatureCollection: what is sound becomes a version if it differs from the newest one, the rest is
    reported one by one. `imported` counts the features that stand in the register now, changed by this or not."""
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection" \
            or not isinstance(collection.get("features"), list):
        raise Problem("invalid_request", "须为 GeoJSON FeatureCollection the body must be a GeoJSON FeatureCollection")
    accepted, rejected = check_features(collection["features"], existing=index_of(door.session), scopes=scopes,
                                        known_scope=known_scope)
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    newest = _newest(door.session)
    door.load([feature.zone_id for feature in accepted if feature.zone_id])
    for feature in accepted:
        counts[_enter(door, feature, newest)] += 1
    door.record_entry("zones_imported", actor, None, {"imported": len(accepted), "rejected": len(rejected), **counts})
    return {"imported": len(accepted), "rejected": [
        {"index": one.index, "name": one.name, "code": one.code, "detail": one.detail} for one in rejected]}


def _newest(session: Session) -> dict[str, tuple[int, str]]:
    """(version, digest) of the newest version of each zone."""
    rows = session.execute(select(ZoneRow.zone_id, ZoneRow.version, ZoneRow.digest).order_by(ZoneRow.version))
    return {row.zone_id: (row.version, row.digest) for row in rows}


def _enter(door: Door, feature: Accepted, newest: Mapping[str, tuple[int, str]]) -> str:
    zone_id = feature.zone_id or str(uuid.UUID(bytes=door.random_bytes(16), version=4))
    outline = shapely.to_geojson(feature.outline)
    fields = {"name": feature.name, "road": feature.road, "section": feature.section, "party": feature.party,
              "sticker_serial": feature.sticker_serial, "valid_from": stamp(feature.valid_from),
              "valid_to": stamp(feature.valid_to) if feature.valid_to else None}
    digest = hashlib.sha256(orjson.dumps([fields, feature.scope, outline], option=orjson.OPT_SORT_KEYS)).hexdigest()
    number, known_digest = newest.get(zone_id, (0, ""))
    if digest == known_digest:
        return "unchanged"
    version = number + 1
    document = {**fields, "outline": orjson.loads(outline), "zone_version": version}
    before = door.get(zone_id)
    if before is None:
        kept = door.create(record_type("zone"), zone_id, feature.scope, document, SERVER, op="import")
    else:
        kept = door.change(before, document, SERVER, op="import", scope=feature.scope, deleted=False, checked=False)
    door.add_row(ZoneRow, {**fields, "zone_id": zone_id, "version": version, "number": kept.seq,
                           "scope": feature.scope, "outline": outline, "digest": digest})
    return "created" if number == 0 else "changed"
