"""The synthetic town of the demonstration: about 700 frontage zones in 320412100 湖塘镇, made from a seed.

Owns the form in which the town enters a deployment (`POST /zones/import`, `POST /roads/import`) and what the
demonstration knows of each shop. Serves `server.demo` and tests. Pure: the same seed makes the same town. A zone
reaches from the building's wall to the kerb; to the centimetre it is `frontage_m` wide and `depth_m` deep, or L-shaped
before a corner shop (frontage there is the sum of both). The streets are turned by `TURN_DEG`: nothing lies along a
parallel or meridian.
"""

import math
import uuid
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from random import Random
from typing import Any

from pyproj import Transformer

from server.demo.fronts import Front, make_fronts
from server.demo.parties import contact, credit_code, shop_names
from server.demo.streets import STREETS, Point, Ring, Street

SCOPE = "320412100"
CENTRE_LON, CENTRE_LAT = 119.95, 31.70
TURN_DEG = 4.2
VALID_FROM = "2026-01-01"
VACANT_SHARE = 0.03
LABEL = "演示数据 SYNTHETIC: every position, outline, shop name, number, contact and code is invented."
_NAMESPACE = uuid.UUID("6f1c3a52-5f0e-5d0b-9d7e-0d0c5b7a4e11")

Geojson = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """One frontage as the demonstration sees it; lon, lat (WGS 84) lie inside its zone. A vacant one has no trade."""

    zone_id: str
    serial: int
    name: str
    trade: str | None
    street: str
    second_street: str | None
    house_no: int
    frontage_m: float
    depth_m: float
    lon: float
    lat: float
    sticker_serial: str


@dataclass(frozen=True)
class Town:
    """Streets and zones as `POST /roads/import` and `POST /zones/import` take them; a shop for each zone, in order."""

    roads: Geojson
    zones: Geojson
    shops: tuple[Shop, ...]


def make_town(seed: int) -> Town:
    rng = Random(seed)
    names = shop_names(rng)
    numbers: dict[tuple[str, int], count[int]] = {}
    features, shops = [], []
    for serial, front in enumerate(make_fronts(rng), 1):
        first = 1 if front.side > 0 else 2
        house_no = next(numbers.setdefault((front.street.name, front.side), count(first, 2)))
        name, trade = next(names) if rng.random() >= VACANT_SHARE else ("空置商铺", None)
        shop = _shop(uuid.uuid5(_NAMESPACE, f"{seed}/{serial}"), serial, front, house_no, name, trade)
        shops.append(shop)
        features.append(_zone(shop, front, rng))
    roads = [_road(street) for street in STREETS]
    return Town(_collection("roads", roads), _collection("zones", features), tuple(shops))


def _shop(zone_id: uuid.UUID, serial: int, front: Front, house_no: int, name: str, trade: str | None) -> Shop:
    lon, lat = _on_earth(_inside(front.outline))
    return Shop(
        zone_id=str(zone_id), serial=serial, name=name, trade=trade, street=front.street.name,
        second_street=front.second_street.name if front.second_street else None, house_no=house_no,
        frontage_m=front.frontage_m, depth_m=front.depth_m, lon=lon, lat=lat, sticker_serial=f"DEMO-{serial:05d}",
    )


def _zone(shop: Shop, front: Front, rng: Random) -> Geojson:
    address = f"{shop.street}{shop.house_no}号"
    properties = {
        "zone_id": shop.zone_id, "name": f"{address} {shop.name}", "road": shop.street, "section": front.street.section,
        "scope": SCOPE, "party": _party(shop, address, rng), "sticker_serial": shop.sticker_serial,
        "valid_from": VALID_FROM, "crs": "EPSG:4326",
    }
    geometry = {"type": "Polygon", "coordinates": [_closed_ring(front.outline)]}
    return {"type": "Feature", "id": shop.zone_id, "properties": properties, "geometry": geometry}


def _party(shop: Shop, address: str, rng: Random) -> dict[str, str]:
    """Return who answers for the zone: the shop, or the owner of the building where it stands empty."""
    if shop.trade is None:
        return {"name": f"{address}业主(空置)", "contact": contact(900000 + shop.serial)}
    kind = "1" if rng.random() < 0.15 else "2"
    return {"name": shop.name, "uscc": credit_code(shop.serial, kind=kind), "contact": contact(shop.serial)}


def _road(street: Street) -> Geojson:
    ends = [_on_earth(street.point(along, 0)) for along in (street.start_m, street.stop_m)]
    properties = {
        "kind": "street", "name": street.name, "section": street.section, "carriageway_m": street.carriageway_m,
        "scope": SCOPE, "synthetic": True, "name_is_real": street.name_is_real,
    }
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": ends}}


def _collection(name: str, features: list[Geojson]) -> Geojson:
    return {"type": "FeatureCollection", "name": name, "description": LABEL, "features": features}


def _inside(outline: Ring) -> Point:
    """Return the middle of the strip's arm on the outline's first side: of a rectangle, its centre."""
    (x0, y0), (x1, y1) = outline[0], outline[2]
    return (x0 + x1) / 2, (y0 + y1) / 2


def _closed_ring(outline: Ring) -> list[list[float]]:
    """Close the outline on the earth, counter-clockwise (RFC 7946, 3.1.6)."""
    ends = zip(outline, [*outline[1:], outline[0]], strict=True)
    doubled_area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in ends)
    ring = outline if doubled_area > 0 else outline[::-1]
    return [_on_earth(point) for point in [*ring, ring[0]]]


@lru_cache(maxsize=1)
def _to_earth() -> Transformer:
    plane = f"+proj=aeqd +lat_0={CENTRE_LAT} +lon_0={CENTRE_LON} +datum=WGS84 +units=m"
    return Transformer.from_crs(plane, "EPSG:4326", always_xy=True)


def _on_earth(point: Point) -> list[float]:
    """Turn a point of the plan and return its lon, lat to 8 decimals, about a millimetre."""
    turn = math.radians(TURN_DEG)
    east = point[0] * math.cos(turn) - point[1] * math.sin(turn)
    north = point[0] * math.sin(turn) + point[1] * math.cos(turn)
    lon, lat = _to_earth().transform(east, north)
    return [round(lon, 8), round(lat, 8)]
