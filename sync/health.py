"""What a device said of its outbox and clock, and what of it is kept beside the device. Serves pushes and other calls.

A device tells how many mutations and photos it has not delivered, since when, how many bytes they are, what its clock
says, and how long its last call took there and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from schemas.values import parse_time, stamp

TOLD = ("unsent", "oldest_unsent_at", "unsent_bytes", "unsent_photos")


def columns_of(health: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The device's columns after a contact at `now`: when it was seen and, as far as it told, outbox and clock.

    The clock is read when the request left the device, so half of the way there and back is added (RFC 5905 section 8).
    """
    columns: dict[str, Any] = {"last_seen_at": stamp(now)}
    told = {name: health[name] for name in TOLD if name in health}
    if told:
        columns["reported"] = {**told, "at": stamp(now)}
    if health.get("device_time"):
        way = timedelta(milliseconds=(health.get("round_trip_ms") or 0) / 2)
        offset = parse_time(health["device_time"]) + way - now
        columns["clock_offset_ms"] = round(offset.total_seconds() * 1000)
    return columns
