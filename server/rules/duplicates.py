"""When two findings are of the same thing: class, place, time. A suggestion only; nothing is ever merged by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.positions import distance_m
from schemas.values import parse_time


def same_thing(one: Mapping[str, Any], other: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Same class, same place, observed within `within_hours`, and the other one still open."""
    if other.get("status") in limits["closed"]:
        return False
    same_class = all(one.get(name) == other.get(name) for name in ("class_scheme", "class_code"))
    apart = abs(parse_time(one["observed_at"]) - parse_time(other["observed_at"]))
    return same_class and apart.total_seconds() <= limits["within_hours"] * 3600 and _same_place(one, other, limits)


def _same_place(one: Mapping[str, Any], other: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Near each other. A bare address is no place: a market hall has one for a hundred stalls."""
    here, there = ((fields.get("position") or {}).get("normalized") for fields in (one, other))
    return here is not None and there is not None \
        and distance_m(here["lon"], here["lat"], there["lon"], there["lat"]) <= limits["within_m"]
