"""The roads, by whose lines and names the map of a handheld is read.

They are scenery: no rule reads them, no finding is tied to one, nobody edits one. So they are no records: they have no
versions, no history, no part in a pull and none in `verify`. What was imported last stands; the journal tells who did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import shapely
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from server.models import RoadRow
from server.reference import known_scope
from server.rules.features import FeatureRefused, Rejection
from server.rules.road_features import Road, Roads, check_roads
from server.zones import features_of
from sync.models import table_of
from sync.records import Door
from sync.scope import concerns
from sync.writers import covers

Box = tuple[float, float, float, float]  # west, south, east, north in degrees

ROAD = table_of(RoadRow)
SHOWN = (ROAD.c.id, ROAD.c.name, ROAD.c.section, ROAD.c.scope, ROAD.c.width_m, ROAD.c.line)


def check_collection(collection: Any, scopes: Sequence[str] | None) -> Roads:
    """Check the features of a FeatureCollection, best before the gate is open; raises `invalid_request`."""
    return check_roads(features_of(collection), scopes=scopes, known_scope=known_scope)


def import_checked(door: Door, checked: Roads, *, actor: str, scopes: Sequence[str] | None) -> dict[str, Any]:
    """Enter what is sound: a road that is not known, and one that is drawn, named or placed otherwise than before.
    `imported` counts the roads that stand in the register now, changed by this or not."""
    known = {row.id: row for row in door.session.execute(select(ROAD.c.id, ROAD.c.scope, ROAD.c.digest))}
    rejected, rows = list(checked.rejected), []
    for road in checked.accepted:
        before = known.get(road.road_id)
        if before is not None and scopes is not None and not covers(scopes, before.scope):
            rejected.append(_elsewhere(road, before.scope))
        else:
            rows.append(_row(road))
    created = [row for row in rows if row["id"] not in known]
    updated = [row for row in rows if row["id"] in known and row["digest"] != known[row["id"]].digest]
    if created:
        door.session.execute(insert(RoadRow), created)
    if updated:
        door.session.execute(update(RoadRow), updated)
    counts = {"imported": len(rows), "created": len(created), "updated": len(updated),
              "unchanged": len(rows) - len(created) - len(updated), "skipped": checked.skipped}
    door.record_entry("roads_imported", actor, None, {**counts, "rejected": len(rejected)})
    return {**counts, "rejected": [one.as_wire() for one in sorted(rejected, key=lambda one: one.index)]}


def tag_of(session: Session, codes: Sequence[str]) -> str:
    """What changes whenever one of the roads that these codes see does."""
    rows = session.execute(select(ROAD.c.id, ROAD.c.digest).where(_seen(session, codes)).order_by(ROAD.c.id))
    return hashlib.sha256(b"".join(f"{row.id}\0{row.digest}\n".encode() for row in rows)).hexdigest()


def features_in(session: Session, codes: Sequence[str], box: Box | None = None) -> Iterator[dict[str, Any]]:
    """GeoJSON features of the roads in these codes' scopes and in those that lie above, of those that touch the box."""
    query = select(*SHOWN).where(_seen(session, codes)).order_by(ROAD.c.id)
    if box is not None:
        west, south, east, north = box
        query = query.where(ROAD.c.west <= east, ROAD.c.east >= west, ROAD.c.south <= north, ROAD.c.north >= south)
    within = None if box is None else shapely.box(*box)
    for row in session.execute(query):
        if within is not None and not within.intersects(shapely.from_geojson(row.line)):
            continue
        yield {"type": "Feature", "id": row.id, "geometry": orjson.Fragment(row.line), "properties": {
            "road_id": row.id, "name": row.name, "section": row.section, "scope": row.scope,
            "carriageway_m": row.width_m}}


def _seen(session: Session, codes: Sequence[str]) -> Any:
    known = session.execute(select(ROAD.c.scope).distinct()).scalars()
    return ROAD.c.scope.in_([scope for scope in known if concerns(codes, scope)])


def _row(road: Road) -> dict[str, Any]:
    said: Mapping[str, Any] = {"name": road.name, "section": road.section, "scope": road.scope,
                               "width_m": road.width_m, "line": shapely.to_geojson(road.line)}
    digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    west, south, east, north = road.line.bounds
    return {"id": road.road_id, **said, "west": west, "south": south, "east": east, "north": north, "digest": digest}


def _elsewhere(road: Road, scope: str) -> Rejection:
    refused = FeatureRefused("out_of_scope", f"道路 {road.road_id} 属于导入人管辖之外的区划 {scope}。"
                             f"Road {road.road_id} belongs to {scope}, which the importer's scopes do not cover.")
    return Rejection(road.index, road.name[:80], refused.code, str(refused))
