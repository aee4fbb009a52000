"""What a device said of its outbox and clock, and what of it is kept beside the device. Serves pushes and other calls.

A device tells how many mutations and photos it has not delivered, since when, how many bytes they are, what its clock
says, and how long its last call took there and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from schemas.values import parse_time, stamp

LONGEST_WAY_MS = 86_400_000
TOLD = ("unsent", "oldest_unsent_at", "unsent_bytes", "unsent_photos")


def has_unsent(reported: Mapping[str, Any] | None) -> bool:
    """Did the device tell of anything that it has not delivered?"""
    return any((reported or {}).get(name) for name in TOLD)


def columns_of(health: Mapping[str, Any], now: datetime, reported: Mapping[str, Any] | None, seen_at: str | None
               ) -> dict[str, Any]:
    """The device's columns after a contact at `now`: when it was seen and, as far as it told, outbox and clock.
    `reported` and `seen_at` are what stood there before.

    While it has something unsent, `heard_at` keeps when it was last seen before: what it has made since names the
    checkpoint that it heard of then, and not a newer one. The clock is read when the request left the device, so half
    of the way there and back is added (RFC 5905 section 8).
    """
    columns: dict[str, Any] = {"last_seen_at": stamp(now)}
    told = {name: health[name] for name in TOLD if name in health}
    if told:
        columns["reported"] = {**told, "at": stamp(now)}
        if has_unsent(told):
            columns["reported"]["heard_at"] = (reported or {}).get("heard_at", seen_at)
    if health.get("device_time"):
        way = min((health.get("round_trip_ms") or 0) / 2, LONGEST_WAY_MS)
        offset = parse_time(health["device_time"]) - now + timedelta(milliseconds=way)
        columns["clock_offset_ms"] = round(offset.total_seconds() * 1000)
    return columns
