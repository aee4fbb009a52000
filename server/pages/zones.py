"""The map of the zones in force, without any foreign tiles."""

from __future__ import annotations

from flask import Response, render_template, request

from server import roads
from server.api.pull import number_argument
from server.api.zones import features_at
from server.auth import me
from server.db import db, reading
from server.house import house
from server.pages.entrance import bp
from server.wire import answer
from server.zones import index_of, spoken_of

PAGE = 30


@bp.get("/zones")
def zones() -> str:
    """Zones in force now in the person's scopes, on a map and as a list, which may be searched."""
    asked = {"q": text} if (text := request.args.get("q", "").strip()) else {}
    start = number_argument("cursor", 0, least=0, most=2**31)
    in_force = index_of(db.session()).valid_at(house().clock(), scopes=me().scopes)
    found = spoken_of(in_force, text)
    following = start + PAGE if start + PAGE < len(found) else None
    return render_template("zones.html", zones=found[start:start + PAGE], start=start, found=len(found), asked=asked,
                           count=len(in_force), page={"next": following})


@bp.get("/zones.geojson")
def zones_map() -> Response:
    """Roads and, above them, zones: the same features as the API's, under the cookie session."""
    with reading():
        features = [*roads.features_in(db.session(), me().scopes), *features_at(house().clock(), me().scopes, None)]
    return answer({"type": "FeatureCollection", "features": features})
