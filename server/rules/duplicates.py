"""When two findings are of the same thing: class, place, time. A suggestion only; nothing is ever merged by it.

Findings that might be the same lie in the same or in neighbouring *cells*: a class, a square of about `CELL_M` metres
and `CELL_HOURS` hours. The grid is fixed; how near is near stands in `server/reference/duplicates.json`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.positions import distance_m
from schemas.values import parse_time

CELL_M = 120.0
CELL_HOURS = 96
METRES_A_DEGREE = 111_320.0


def same_thing(one: Mapping[str, Any], other: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Same class, same place, observed within `within_hours`, and the other one still open."""
    if other.get("status") in limits["closed"]:
        return False
    same_class = all(one.get(name) == other.get(name) for name in ("class_scheme", "class_code"))
    apart = abs(parse_time(one["observed_at"]) - parse_time(other["observed_at"]))
    return same_class and apart.total_seconds() <= limits["within_hours"] * 3600 and _same_place(one, other, limits)


def cell_of(fields: Mapping[str, Any], limits: Mapping[str, Any]) -> str | None:
    """The cell of an open finding; None for one that has no class or position, or is closed."""
    if fields.get("status") in limits["closed"]:
        return None
    return next(_cells(fields, 0.0, 0.0), None)


def cells_near(fields: Mapping[str, Any], limits: Mapping[str, Any]) -> list[str]:
    """The cells in which findings of the same thing may lie."""
    return list(_cells(fields, limits["within_m"], limits["within_hours"]))


def _cells(fields: Mapping[str, Any], within_m: float, within_hours: float) -> Iterator[str]:
    """The cells that a box about the finding touches; a row of cells is as wide as a degree is long there."""
    place, code = (fields.get("position") or {}).get("normalized"), fields.get("class_code")
    if place is None or not code:
        return
    hours = parse_time(fields["observed_at"]).timestamp() / 3600
    times = range(math.floor((hours - within_hours) / CELL_HOURS), math.floor((hours + within_hours) / CELL_HOURS) + 1)
    north_m = place["lat"] * METRES_A_DEGREE
    for row in range(math.floor((north_m - within_m) / CELL_M), math.floor((north_m + within_m) / CELL_M) + 1):
        widest = math.cos(math.radians(min(row * CELL_M / METRES_A_DEGREE, 89.9)))
        east_m = place["lon"] * METRES_A_DEGREE * widest
        for column in range(math.floor((east_m - within_m) / CELL_M), math.floor((east_m + within_m) / CELL_M) + 1):
            for time in times:
                yield f"{code}/{row}/{column}/{time}"


def _same_place(one: Mapping[str, Any], other: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Near each other. A bare address is no place: a market hall has one for a hundred stalls."""
    here, there = ((fields.get("position") or {}).get("normalized") for fields in (one, other))
    return here is not None and there is not None \
        and distance_m(here["lon"], here["lat"], there["lon"], there["lat"]) <= limits["within_m"]
