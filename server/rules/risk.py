"""The risk of a record under review: a number that only orders the queue, and decides nothing.

The weights stand in `server/reference/risk.json`. Serves the review queue and whoever changes evidence; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from server.reference import settings

OPEN_ZONE = ("ambiguous", "none")


def risk_of(flags: Iterable[Mapping[str, Any]], fields: Mapping[str, Any]) -> int:
    """The points of a record with these fields, whose evidence carries these flags; 0 for nothing to look at.

    A flag counts once however often it stands there, so that many photos do not outweigh one forged one.
    """
    weights = settings("risk")
    of_flag, of_record = weights["flags"], weights["record"]
    points = sum([of_flag.get(code, weights["other_flag"]) for code in {flag.get("code") for flag in flags}])
    zone = fields.get("zone")
    if fields.get("unsigned") is True:
        points += of_record["unsigned"]
    if isinstance(zone, dict) and zone.get("decision") in OPEN_ZONE:
        points += of_record["zone_open"]
    if fields.get("kind") in weights["penalty_kinds"]:
        points += of_record["penalty"]
    if fields.get("checks"):
        points += of_record["checks_failed"]
    return int(min(points, weights["most"]))
