"""Small frontages in metres around one corner, and what an import says to them."""

from server.reference import known_scope
from server.rules.zone_import import check_features
from server.rules.zones import ZoneIndex, ZoneVersion

IDS = [f"00000000-0000-7000-8000-{n:012d}" for n in range(10)]
METRE = 0.00001  # degrees, about a metre
NOTHING = ZoneIndex([])


def square(east_m=0, north_m=0, side_m=10):
    west, south = 119.95 + east_m * METRE, 31.70 + north_m * METRE
    east, north = west + side_m * METRE, south + side_m * METRE
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def feature(coordinates=None, /, geometry=None, **properties):
    stated = {"name": "一号店", "road": "武宜路", "section": "", "scope": "320412100", "party": {"name": "一号店"}}
    stated |= {"valid_from": "2026-01-01"} | properties
    shape = geometry or {"type": "Polygon", "coordinates": square() if coordinates is None else coordinates}
    return {"type": "Feature", "properties": {k: v for k, v in stated.items() if v != "-"}, "geometry": shape}


def check(*features, existing=NOTHING, scopes=("3204",)):
    return check_features(list(features), existing, scopes, known_scope)


def codes(*features, **more):
    """The code of each feature, None where it was accepted."""
    _, rejected = check(*features, **more)
    by_index = {one.index: one.code for one in rejected}
    return [by_index.get(n) for n in range(len(features))]


def index_of(*features):
    accepted, rejected = check(*features)
    assert not rejected
    kept = [{key: value for key, value in vars(one).items() if key not in ("index", "warnings")} for one in accepted]
    return ZoneIndex(ZoneVersion(version=1, **one) for one in kept)
