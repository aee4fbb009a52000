"""The map of the zones in force, without any foreign tiles."""

from __future__ import annotations

from flask import Response, render_template

from server.api.zones import features_at
from server.auth import me
from server.db import db
from server.house import house
from server.pages.entrance import bp
from server.wire import answer
from server.zones import index_of

MOST_LISTED = 200


@bp.get("/zones")
def zones() -> str:
    """Zones in force now in the person's scopes, on a map and as a list."""
    found = index_of(db.session()).valid_at(house().clock(), scopes=me().scopes)
    return render_template("zones.html", zones=found[:MOST_LISTED], count=len(found))


@bp.get("/zones.geojson")
def zones_map() -> Response:
    """The same features as the API's, under the cookie session."""
    return answer({"type": "FeatureCollection", "features": features_at(house().clock(), me().scopes, None)})
