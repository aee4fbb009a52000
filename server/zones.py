"""The zone register: versions in the database, an index of them in memory, and the import (protocol section 8)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

import orjson
import shapely
from sqlalchemy import URL, func, select, update
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.records import record_type
from schemas.values import parse_time, stamp
from server.models import ZoneRow
from server.reference import known_scope
from server.rules.attribution import Attribution
from server.rules.features import Rejection
from server.rules.zone_features import Accepted
from server.rules.zone_import import check_features
from server.rules.zones import ZoneIndex, ZoneVersion
from sync.kept import Kept
from sync.models import table_of
from sync.records import Door
from sync.writers import SERVER

NUMBER = re.compile(r"([0-9]+)")
_lock = Lock()
_cache: dict[URL, tuple[int, ZoneIndex]] = {}
NEWEST = select(func.max(table_of(ZoneRow).c.number))


def index_of(session: Session) -> ZoneIndex:
    """The index of all zone versions; built anew only when a version came or a zone got another name."""
    return _numbered(session)[1]


def index_at_hand(session: Session) -> ZoneIndex | None:
    """The index that `index_of` gave last: it may be out of date, and is not there in a process that just began."""
    known = _cache.get(session.get_bind().engine.url)
    return known[1] if known else None


def forget() -> None:
    """Forget all indexes, as a process that begins anew has none."""
    with _lock:
        _cache.clear()


def _numbered(session: Session) -> tuple[int, ZoneIndex]:
    """The index, and the number of the newest change of the register that stands in it."""
    url = session.get_bind().engine.url
    newest = session.connection().execute(NEWEST).scalar() or 0
    with _lock:
        known = _cache.get(url)
        if known is None or known[0] != newest:
            rows = session.execute(select(ZoneRow).order_by(ZoneRow.zone_id, ZoneRow.version)).scalars()
            known = _cache[url] = (newest, ZoneIndex([version_of(row) for row in rows]))
    return known


def version_of(row: ZoneRow) -> ZoneVersion:
    """A zone version from its table row."""
    return ZoneVersion(zone_id=row.zone_id, version=row.version, name=row.name, road=row.road or "",
                       section=row.section or "", scope=row.scope, party=row.party, sticker_serial=row.sticker_serial,
                       valid_from=parse_time(row.valid_from),
                       valid_to=parse_time(row.valid_to) if row.valid_to else None,
                       outline=shapely.from_geojson(row.outline))


def attribute(index: ZoneIndex, *, place: Mapping[str, float] | None, accuracy_m: float | None, at: datetime,
              sticker_serial: str | None) -> Attribution:
    """Which zone is meant by a place in EPSG:4490 degrees, a sticker, or both."""
    return index.attribute(lon=place["lon"] if place else None, lat=place["lat"] if place else None,
                           accuracy_m=accuracy_m, at=at, sticker_serial=sticker_serial)


def spoken_of(versions: Sequence[ZoneVersion], text: str) -> list[ZoneVersion]:
    """The versions whose name, road, section, party or sticker has the text in it, along each road by house number."""
    wanted = text.casefold()
    found = [one for one in versions if any(wanted in (part or "").casefold() for part in (
        one.name, one.road, one.section, one.party.get("name"), one.sticker_serial))]
    return sorted(found, key=lambda one: [_counting(part) for part in (one.road, one.section, one.name, one.zone_id)])


def _counting(text: str) -> list[str | int]:
    """A text to sort by, in which 9 comes before 10."""
    return [int(part) if place % 2 else part for place, part in enumerate(NUMBER.split(text))]


def in_force(session: Session, zone_id: Any, at: datetime) -> ZoneVersion | None:
    """The version of a zone that was in force then."""
    return index_of(session).in_force(zone_id, at) if isinstance(zone_id, str) else None


class Checked(NamedTuple):
    """What may be imported and what may not, held against the register as of change `number`."""

    number: int
    accepted: list[Accepted]
    rejected: list[Rejection]


def check_collection(session: Session, collection: Any, scopes: Sequence[str] | None) -> Checked:
    """Check the features of a FeatureCollection, best before the gate is open; raises `invalid_request`."""
    features = features_of(collection)
    number, index = _numbered(session)
    return Checked(number, *check_features(features, existing=index, scopes=scopes,
                                           known_scope=known_scope))


def features_of(collection: Any) -> list[Any]:
    """The features of a FeatureCollection; raises `invalid_request` for what is none."""
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise Problem("invalid_request", "须为 GeoJSON FeatureCollection the body must be a GeoJSON FeatureCollection")
    return features


def import_features(door: Door, collection: Any, *, actor: str, scopes: Sequence[str] | None,
                    checked: Checked | None = None) -> dict[str, Any]:
    """Import a FeatureCollection: what is sound becomes a version if it differs from the newest one, the rest is
    reported one by one. `imported` counts the features that stand in the register now, changed by this or not.
    `checked` holds unless the register changed meanwhile."""
    if checked is None or checked.number != _numbered(door.session)[0]:
        checked = check_collection(door.session, collection, scopes)
    counts = {"created": 0, "changed": 0, "renamed": 0, "unchanged": 0}
    newest = _newest(door.session)
    door.load([feature.zone_id for feature in checked.accepted if feature.zone_id])
    for feature in checked.accepted:
        counts[_enter(door, feature, newest)] += 1
    imported = len(checked.accepted)
    door.record_entry("zones_imported", actor, None, {"imported": imported, "rejected": len(checked.rejected),
                                                      **counts})
    return {"imported": imported, "rejected": [one.as_wire() for one in checked.rejected]}


def _newest(session: Session) -> dict[str, tuple[int, str, dict[str, str]]]:
    """(version, digest, names) of the newest version of each zone."""
    rows = session.execute(select(ZoneRow.zone_id, ZoneRow.version, ZoneRow.digest, ZoneRow.name, ZoneRow.road,
                                  ZoneRow.section).order_by(ZoneRow.version))
    return {row.zone_id: (row.version, row.digest, {"name": row.name, "road": row.road, "section": row.section})
            for row in rows}


def _enter(door: Door, feature: Accepted, newest: Mapping[str, tuple[int, str, dict[str, str]]]) -> str:
    """Write what the feature changes: outline, party, sticker, time and scope make a version, names do not."""
    zone_id = feature.zone_id or door.new_id()
    outline = shapely.to_geojson(feature.outline)
    names = {"name": feature.name, "road": feature.road, "section": feature.section}
    fields = {"party": feature.party, "sticker_serial": feature.sticker_serial,
              "valid_from": stamp(feature.valid_from),
              "valid_to": stamp(feature.valid_to) if feature.valid_to else None}
    digest = digest_of(fields, feature.scope, outline)
    number, known_digest, known_names = newest.get(zone_id, (0, "", {}))
    if digest == known_digest:
        return "unchanged" if names == known_names else _rename(door, zone_id, number, names)
    version = number + 1
    document = {**names, **fields, "outline": orjson.loads(outline), "zone_version": version}
    before = door.get(zone_id)
    if before is None:
        kept = door.create(record_type("zone"), zone_id, feature.scope, document, SERVER, op="import")
    else:
        kept = door.change(before, document, SERVER, op="import", scope=feature.scope, deleted=False, checked=False)
    door.add_row(ZoneRow, {**names, **fields, "zone_id": zone_id, "version": version, "number": kept.seq,
                           "scope": feature.scope, "outline": outline, "digest": digest})
    return "created" if number == 0 else "changed"


def digest_of(fields: Mapping[str, Any], scope: str, outline: str) -> str:
    """What makes a version of a zone, as one hash: outline, party, sticker, time and scope."""
    return hashlib.sha256(orjson.dumps([fields, scope, outline], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _rename(door: Door, zone_id: str, version: int, names: Mapping[str, str]) -> str:
    """A zone's names are labels of its newest version; the record's history keeps the former ones."""
    kept = door.amend(zone_id, names, op="import")
    if kept is not None:
        door.session.execute(update(ZoneRow).where(ZoneRow.zone_id == zone_id, ZoneRow.version == version)
                             .values(**names, number=kept.seq))
    return "renamed"


def moved(door: Door, zone: Kept, scope: str) -> dict[str, Any]:
    """Enter the next version of a zone that an office moved to another scope; gives the record's changed fields.

    It is in force from now on, or, where the newest version is not in force now, from that one's beginning.
    """
    row = door.session.execute(select(ZoneRow).where(ZoneRow.zone_id == zone.id).order_by(ZoneRow.version.desc())
                               .limit(1)).scalar_one()
    reigns = row.valid_from <= door.at and (row.valid_to is None or door.at < row.valid_to)
    fields = {"party": row.party, "sticker_serial": row.sticker_serial,
              "valid_from": door.at if reigns else row.valid_from, "valid_to": row.valid_to}
    door.add_row(ZoneRow, {
        **fields, "zone_id": zone.id, "version": row.version + 1, "number": door.gate.seq + 1, "scope": scope,
        "name": row.name, "road": row.road, "section": row.section, "outline": row.outline,
        "digest": digest_of(fields, scope, row.outline)})
    return {"zone_version": row.version + 1, "valid_from": fields["valid_from"]}
