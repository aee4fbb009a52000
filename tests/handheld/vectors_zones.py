"""Questions to the zones with the server's answers, as JSON: what the handheld's own reckoning is held against."""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Polygon, mapping

from server.reference import settings
from server.rules.zones import Ask, ZoneIndex, ZoneVersion
from tests.bureau import east_north

PLACE = (119.9476, 31.7013)
DAY = datetime(2026, 1, 1, tzinfo=UTC)
ACCURACIES = (None, -3.0, 0.05, 0.6, 2.0, 4.0, 8.0, 15.0, 30.0, 49.0, 60.0, 200.0, 900.0)


def ring(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [east_north(*PLACE, *corner) for corner in corners]


def box(east: float, north: float, width: float, depth: float) -> list[tuple[float, float]]:
    return ring([(east, north), (east + width, north), (east + width, north + depth), (east, north + depth)])


def versions() -> list[ZoneVersion]:
    """A street of frontages, one in two parts, one with a hole, one that was drawn anew, two with one sticker."""
    shapes: list[Any] = [Polygon(box(8.0 * n, 0.0, 8.0, 6.0)) for n in range(30)]
    shapes.append(MultiPolygon([Polygon(box(-40, 20, 12, 9)), Polygon(box(-20, 20, 7, 9))]))
    shapes.append(Polygon(box(0, 20, 40, 30), [box(10, 28, 12, 9)]))
    shapes.append(Polygon(ring([(60, 30), (95, 24), (110, 60), (80, 44), (58, 66)])))
    shapes.append(Polygon(box(40_000, 12_000, 30, 20)))
    found = [_version(n, 1, shape, None if n % 5 else f"S-{n}") for n, shape in enumerate(shapes)]
    found.append(_version(3, 2, Polygon(box(24.0, 0.0, 8.0, 9.0)), "S-3", valid_from=DAY + timedelta(days=100)))
    found.append(_version(50, 1, Polygon(box(250, 0, 8, 6)), "TWICE"))
    found.append(_version(51, 1, Polygon(box(258, 0, 8, 6)), "TWICE"))
    found.append(_version(52, 1, Polygon(box(266, 0, 8, 6)), "ENDED", valid_to=DAY + timedelta(days=60)))
    return found


def _version(n: int, version: int, shape: Any, sticker: str | None, valid_from: datetime = DAY,
             valid_to: datetime | None = None) -> ZoneVersion:
    return ZoneVersion(f"00000000-0000-7000-8000-{n:012d}", version, f"店 {n}", "测试路", "东段", "320412100",
                       {"name": f"店 {n}"}, sticker, valid_from, valid_to, shape)


def asks(dice: random.Random) -> list[Ask]:
    """Places all over the street and far from it, with every kind of accuracy; stickers right, wrong, far and ended."""
    stickers = (None, None, None, "S-0", "S-3", "S-5", "S-30", "TWICE", "ENDED", "UNKNOWN")
    spots = [(dice.uniform(-60, 300), dice.uniform(-30, 80)) for _ in range(400)]
    spots += [(dice.uniform(0, 240), dice.uniform(0, 6)) for _ in range(200)] + [(40_015.0, 12_010.0), (1e5, -2e5)]
    days = (-1, 20, 70, 200)
    found = [Ask(*east_north(*PLACE, *spot), dice.choice(ACCURACIES), DAY + timedelta(days=dice.choice(days)),
                 dice.choice(stickers)) for spot in spots]
    found += [Ask(None, None, None, DAY + timedelta(days=20), sticker) for sticker in stickers]
    return [*found, Ask(-60.0, -31.7, 10.0, DAY + timedelta(days=20), "S-5"),
            Ask(-60.0, -31.7, 10.0, DAY + timedelta(days=20), None), Ask(30.0, 10.0, 10.0, DAY, "S-5")]


def vectors(seed: int) -> dict[str, Any]:
    """The zones as records of a pull, and each question with the answer."""
    known, asked = versions(), asks(random.Random(seed))
    return {"limits": settings("attribution"), "zones": [_as_record(one) for one in known],
            "asks": [{"place": {"lon": ask.lon, "lat": ask.lat} if ask.lon is not None else None,
                      "accuracy_m": ask.accuracy_m, "at": ask.at.isoformat(), "sticker": ask.sticker_serial,
                      "answer": found.as_wire()}
                     for ask, found in zip(asked, ZoneIndex(known).attribute_all(asked), strict=True)]}


def _as_record(one: ZoneVersion) -> dict[str, Any]:
    return {"id": one.zone_id, "scope": one.scope, "fields": {
        "name": one.name, "road": one.road, "section": one.section, "party": one.party, "zone_version": one.version,
        "sticker_serial": one.sticker_serial, "valid_from": one.valid_from.isoformat(),
        "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        "outline": mapping(shapely.reverse(one.outline) if one.version % 2 else one.outline)}}


if __name__ == "__main__":
    json.dump(vectors(int(sys.argv[1]) if len(sys.argv) > 1 else 1), sys.stdout)
