"""Roads: the lines by which a map is read, and their import (protocol section 8)."""

from __future__ import annotations

from flask import Response, request

from server import roads
from server.api import blueprint
from server.api.openapi import FEATURES, body, header, told
from server.api.zones import GEOJSON, IMPORT_BYTES
from server.auth import me, needs_role
from server.db import db, writing
from server.wire import answer, read_json

blp = blueprint("roads", "道路 Roads")


@blp.get("/roads")
@blp.doc(parameters=[header("If-None-Match", "the `ETag` of what the caller has")])
@blp.response(200, content_type=GEOJSON, headers=told(ETag="changes with the roads"))
@blp.alt_response(304, success=True, description="The caller has them already")
def roads_geojson() -> Response:
    """GeoJSON of the roads in the caller's scopes and in those above, for a map without tiles."""
    tag = roads.tag_of(db.session(), me().scopes)
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        response = answer({"type": "FeatureCollection", "features": [*roads.features_in(db.session(), me().scopes)]})
        response.content_type = GEOJSON
    response.set_etag(tag, weak=True)  # it stands for the roads, however they are compressed
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blp.post("/roads/import")
@blp.doc(requestBody=body(FEATURES, GEOJSON))
@needs_role("admin")
@blp.response(200)
def import_roads() -> Response:
    """Import a FeatureCollection; sound lines are imported, polygons passed over, the others reported one by one."""
    request.max_content_length = IMPORT_BYTES
    checked = roads.check_collection(read_json(request), me().scopes)
    with writing() as door:
        found = roads.import_checked(door, checked, actor=me().user_id, scopes=me().scopes)
    return answer(found)
