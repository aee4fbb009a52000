"""Photos: what their record, its scope, their file and the time of their receipt say against them.

Asked when a photo is entered, when its file was read, and when the record that it is about gets another place. The
flags that come of it are told from others by their code, and a `place_conflict` by what it is `between`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from media.exif import PLAUSIBLE_YEARS
from schemas.values import parse_time
from server import zones
from server.reference import settings, table
from server.rules import photos
from server.rules.photos import STREET_DIGITS
from server.rules.zones import ZoneIndex
from server.trade.tracks import Flag, claims_of, renewed
from sync.kept import Kept
from sync.records import Door
from sync.rules import Context

CODES = frozenset({"late", "screenshot"})
SIDES = frozenset({"about", "scope", "mock"})


def with_doubts(door: Door, scope: str, fields: Mapping[str, Any]) -> list[Flag]:
    """The flags of an evidence record in this scope, those of this module made anew."""
    return renewed(fields.get("flags") or [], list(_doubts(door, scope, fields)), _is_ours)


def compare_again(before: Kept | None, after: Kept, context: Context) -> None:
    """Hold the photos of a record against its place, if that is another one than before."""
    if before is None or before.fields.get("position") == after.fields.get("position"):
        return
    for kept in context.door.live("evidence", about_id=after.id):
        context.door.amend(kept.id, {"flags": with_doubts(context.door, kept.scope, kept.fields)}, op="flags")


def _doubts(door: Door, scope: str, fields: Mapping[str, Any]) -> Iterator[Flag]:
    if detail := photos.late(_times(fields), *_bracket(fields), settings("photos")):
        yield {"code": "late", "detail": detail}
    if detail := photos.like_a_screenshot(fields.get("media") or {}, table("screens")):
        yield {"code": "screenshot", "detail": detail}
    if (fields.get("position") or {}).get("mock") is True:
        yield {"code": "place_conflict", "detail": {"rule": "the device says that its position is mocked",
                                                    "between": ["device", "mock"]}}
    for detail in _astray(door, scope, fields):
        yield {"code": "place_conflict", "detail": detail}


def _astray(door: Door, scope: str, fields: Mapping[str, Any]) -> Iterator[photos.Detail]:
    figures, claims = settings("photos"), claims_of(fields)
    if not claims:
        return
    kept = door.get(fields["about"]["id"]) if fields["role"] in figures["about_roles"] else None
    about = claims_of({"position": kept.fields.get("position")}).get("device") if kept else None
    index: ZoneIndex = door.once("zone index", lambda: zones.index_of(door.session))
    bounds = index.bounds(street := scope[:STREET_DIGITS])
    for name, claim in claims.items():
        if about and (detail := photos.far_from_record(name, claim, about, figures)):
            yield detail
        if bounds and (detail := photos.outside_scope(name, claim, street, bounds, figures)):
            yield detail


def _times(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What device, file and satellites claim, as far as a camera may claim it."""
    exif = (fields.get("media") or {}).get("exif") or {}
    claims = {"device": fields["captured_at"], "file": exif.get("taken_at"), "gps": exif.get("gps_at")}
    times = {name: parse_time(at) for name, at in claims.items() if at}
    return {name: at for name, at in times.items() if at.year in PLAUSIBLE_YEARS}


def _bracket(fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """The time of the beacon, None for none, and of the receipt."""
    beacon = (fields.get("bracket") or {}).get("not_before")
    return parse_time(beacon) if beacon else None, parse_time(fields["received_at"])


def _is_ours(flag: Flag) -> bool:
    between = flag["detail"].get("between") or () if isinstance(flag.get("detail"), dict) else ()
    return flag["code"] in CODES or (flag["code"] == "place_conflict" and not SIDES.isdisjoint(between))
