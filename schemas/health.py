"""What a device says of its outbox and its clock, as a header of any call: `Menqian-Health: unsent=3; bytes=4096; …`.

A push says the same in its body (`schemas/push.py`). The header is a word beside the call, never a reason to refuse it:
what cannot be read in it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.problems import Problem
from schemas.push import load_health

HEADER = "Menqian-Health"
MEMBERS = {"unsent": "unsent", "oldest": "oldest_unsent_at", "bytes": "unsent_bytes", "photos": "unsent_photos",
           "time": "device_time", "round-trip": "round_trip_ms"}
TIMES = ("oldest", "time")
LONGEST_HEADER = 400


def read_header(text: str | None) -> dict[str, Any]:
    """The health of a header, by the names that a push's body has; empty without one."""
    found: dict[str, Any] = {}
    for part in (text or "")[:LONGEST_HEADER].split(";"):
        name, _, value = (each.strip() for each in part.partition("="))
        if name in MEMBERS and value:
            try:
                found |= load_health({MEMBERS[name]: int(value) if value.isdecimal() else value})
            except Problem:
                continue
    if found.get("unsent") == 0 and not found.get("unsent_photos"):
        found.setdefault("oldest_unsent_at", None)
    return found


def write_header(health: Mapping[str, Any]) -> str:
    """The header that says this health; what is not known is left out."""
    return "; ".join(f"{name}={health[member]}" for name, member in MEMBERS.items() if health.get(member) is not None)
