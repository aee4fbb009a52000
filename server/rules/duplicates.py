"""When two findings are of the same thing: class, place, time. A suggestion only; nothing is ever merged by it.

Findings that might be the same lie in the same or in neighbouring *cells*: a class, a square of about `CELL_M` metres
and `CELL_HOURS` hours. The grid is fixed; how near is near stands in `server/reference/duplicates.json`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from schemas.positions import METRES_A_DEGREE, distance_m
from schemas.values import parse_time

CELL_M = 120.0
CELL_HOURS = 96


def same_thing(one: Mapping[str, Any], other: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Same class, same place, observed within `within_hours`, and the other one still open."""
    if other.get("status") in limits["closed"]:
        return False
    same_class = all(one.get(name) == other.get(name) for name in ("class_scheme", "class_code"))
    apart = abs(parse_time(one["observed_at"]) - parse_time(other["observed_at"]))
    return same_class and apart.total_seconds() <= limits["within_hours"] * 3600 and _same_place(one, other, limits)


def cell_of(fields: Mapping[str, Any], limits: Mapping[str, Any]) -> str | None:
    """The cell of an open finding; None for one that has no class or position, or is closed."""
    place, code = (fields.get("position") or {}).get("normalized"), fields.get("class_code")
    if place is None or not code or fields.get("status") in limits["closed"]:
        return None
    row = math.floor(place["lat"] * METRES_A_DEGREE / CELL_M)
    column = math.floor(place["lon"] * METRES_A_DEGREE * _narrowing(row) / CELL_M)
    return f"{code}/{row}/{column}/{math.floor(_hours(fields['observed_at']) / CELL_HOURS)}"


def cells_near(fields: Mapping[str, Any], limits: Mapping[str, Any]) -> Sequence[str]:
    """The cells in which findings of the same thing may lie."""
    place, code = (fields.get("position") or {}).get("normalized"), fields.get("class_code")
    if place is None or not code:
        return ()
    return _near(code, place["lon"], place["lat"], fields["observed_at"], limits["within_m"], limits["within_hours"])


@lru_cache(maxsize=4096)
def _near(code: str, lon: float, lat: float, observed_at: str, within_m: float, within_hours: float) -> tuple[str, ...]:
    """The cells that a box about the place and time touches; a row of squares is as wide as a degree is there."""
    times = _touched(_hours(observed_at), within_hours, CELL_HOURS)
    return tuple([f"{code}/{row}/{column}/{time}" for row in _touched(lat * METRES_A_DEGREE, within_m, CELL_M)
                  for column in _touched(lon * METRES_A_DEGREE * _narrowing(row), within_m, CELL_M) for time in times])


def _hours(observed_at: str) -> float:
    return parse_time(observed_at).timestamp() / 3600


@lru_cache(maxsize=4096)
def _narrowing(row: int) -> float:
    """How much shorter a degree of longitude is in that row than at the equator."""
    return math.cos(math.radians(min(row * CELL_M / METRES_A_DEGREE, 89.9)))


def _touched(middle: float, reach: float, size: float) -> range:
    return range(math.floor((middle - reach) / size), math.floor((middle + reach) / size) + 1)


def _same_place(one: Mapping[str, Any], other: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Near each other. A bare address is no place: a market hall has one for a hundred stalls."""
    here, there = ((fields.get("position") or {}).get("normalized") for fields in (one, other))
    return here is not None and there is not None \
        and distance_m(here["lon"], here["lat"], there["lon"], there["lat"]) <= limits["within_m"]
