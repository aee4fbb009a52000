"""Tracks: what a patrol's points say against its photos, whichever came first.

A photo is held against the track of the person who took it when it is entered, when its file was read, and when the
track grows near it. The flags that come of it are told from others by what they are `between`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.values import parse_time, stamp
from server.reference import settings
from server.rules.photos import Claim
from server.rules.tracks import Point, Timeline, Whereabouts, moved, time_of, too_far, whereabouts
from server.trade.base import TypeRule, utc
from sync.kept import Kept
from sync.models import TAKEN, Record
from sync.records import Door
from sync.rules import Context

Flag = dict[str, Any]
NULL_ISLAND_DEGREES = 0.001  # as media/exif.py has it of files


class TrackRule(TypeRule):
    """A track is found by its person and the time of its first point."""

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        first = next((at for point in fields.get("points") or () if (at := point.get("at"))), None)
        return {**super().promote(fields), "observed_at": utc(first)}

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        known = before.fields.get("points") or [] if before else []
        times = [at for point in (after.fields.get("points") or [])[len(known):] if (at := time_of(point)) is not None]
        if times:
            _grown(context.door, after.created_by).setdefault(after.id)
            for evidence_id in _photos_near(context.door, after.created_by, sorted(times)):
                _compare_again(context.door, evidence_id)


def with_places(door: Door, user_id: str, fields: Mapping[str, Any]) -> list[Flag]:
    """The flags of an evidence record of this person, those about its place on the track made anew."""
    return renewed(fields.get("flags") or [], list(_place_flags(door, user_id, fields)), _is_of_track)


def renewed(flags: list[Flag], new: list[Flag], ours: Callable[[Flag], bool]) -> list[Flag]:
    """The flags with those of one cause made anew; as they were, order and all, where nothing else is said."""
    if new == [flag for flag in flags if ours(flag)]:
        return flags
    return [*(flag for flag in flags if not ours(flag)), *new]


def claims_of(fields: Mapping[str, Any]) -> dict[str, Claim]:
    """The places that device and file claim, but for null island. EXIF is WGS 84, which counts as EPSG:4490."""
    position = fields.get("position") or {}
    file = ((fields.get("media") or {}).get("exif") or {}).get("position")
    device = None if _at_null_island(position) else position.get("normalized")
    return {**({"device": Claim(device["lon"], device["lat"], float(position.get("accuracy_m") or 0))}
               if device else {}),
            **({"file": Claim(file["lon"], file["lat"], 0.0)} if file else {})}


def tracks_near(session: Session, user_id: str, at: datetime) -> list[str]:
    """The stored tracks of this person that may have points near that time, the latest begun first; deleted ones, too:
    nobody does away with a conflict by deleting his track."""
    figures = settings("tracks")
    return list(session.execute(select(Record.id).where(
        TAKEN, Record.type == "track", Record.created_by == user_id,
        Record.observed_at >= stamp(moved(at, -timedelta(hours=figures["starts_most_h"]))),
        Record.observed_at <= stamp(moved(at, timedelta(seconds=figures["between_most_s"]))))
        .order_by(Record.observed_at.desc()).limit(figures["tracks_most"])).scalars())


def place_on(tracks: Iterable[tuple[Sequence[Point], Timeline]], at: datetime) -> Whereabouts | None:
    """Where these tracks together put their person at that moment."""
    near = [point for points, timeline in tracks for point in timeline.around(stamp(at), points)]
    return whereabouts(near, at, settings("tracks"))


def _place_flags(door: Door, user_id: str, fields: Mapping[str, Any]) -> Iterator[Flag]:
    claims = claims_of(fields)
    if _at_null_island(fields.get("position") or {}):
        yield {"code": "place_conflict", "detail": {"rule": "device at null island, which is no measurement",
                                                    "between": ["device", "null_island"]}}
    at = parse_time(fields["captured_at"])
    track = place_on(_tracks(door, user_id, at), at) if claims else None
    for claim, (lon, lat, accuracy_m) in claims.items() if track else ():
        if found := too_far(claim, lon, lat, accuracy_m, track, at, settings("tracks")):
            yield {"code": "place_conflict", "detail": found}


def _at_null_island(position: Mapping[str, Any]) -> bool:
    place = position.get("normalized")
    return bool(place) and max(abs(place["lon"]), abs(place["lat"])) < NULL_ISLAND_DEGREES


def _is_of_track(flag: Flag) -> bool:
    between = flag["detail"].get("between") or () if isinstance(flag.get("detail"), dict) else ()
    return flag["code"] == "place_conflict" and not {"track", "null_island"}.isdisjoint(between)


def _tracks(door: Door, user_id: str, at: datetime) -> list[tuple[Sequence[Point], Timeline]]:
    """The points of this person's tracks about that time, those that this door wrote among them."""
    stored = door.once(f"tracks of {user_id} at {stamp(at)[:13]}",
                       lambda: tracks_near(door.session, user_id, _hour_of(at)))
    door.load(ids := list(dict.fromkeys([*stored, *_grown(door, user_id)])))
    found = []
    for kept in map(door.get, ids):
        if kept is not None and (points := kept.fields.get("points")):
            timeline = door.once(f"timeline {kept.id}", Timeline)
            found.append((points, timeline.learn(points)))
    return found


def _hour_of(at: datetime) -> datetime:
    """The end of an hour: photos of one hour ask for tracks once."""
    return at.replace(minute=59, second=59, microsecond=0)


def _grown(door: Door, user_id: str) -> dict[str, None]:
    """The tracks of this person that this door wrote, which no look-up need see."""
    return door.once(f"grown tracks of {user_id}", dict)


def _photos_near(door: Door, user_id: str, times: Sequence[str]) -> list[str]:
    """The evidence of this person whose places may be said otherwise now that the track has points at these times."""
    figures = settings("tracks")
    reach = timedelta(seconds=max(figures["between_most_s"], figures["alone_most_s"]))
    spans = _spans(times, reach)
    rows = door.session.execute(select(Record.id, Record.observed_at).where(
        TAKEN, Record.type == "evidence", Record.created_by == user_id,
        Record.observed_at.between(spans[0][0], spans[-1][1]))
        .order_by(Record.observed_at.desc()).limit(figures["photos_most"])).all()
    found = [(row.id, row.observed_at) for row in rows]
    found += [(kept.id, kept.marks["observed_at"]) for kept in door.fresh()
              if kept.type == "evidence" and kept.created_by == user_id]
    return list(dict.fromkeys(evidence_id for evidence_id, at in found
                              if any(low <= at <= high for low, high in spans)))


def _spans(times: Sequence[str], reach: timedelta) -> list[tuple[str, str]]:
    """The stretches of time within reach of any of these times, which are sorted; few, for a patrol is one."""
    spans: list[tuple[str, str]] = []
    for time in times:
        at = parse_time(time)
        low, high = stamp(moved(at, -reach)), stamp(moved(at, reach))
        if spans and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans


def _compare_again(door: Door, evidence_id: str) -> None:
    kept = door.get(evidence_id)
    if kept is not None:
        door.amend(evidence_id, {"flags": with_places(door, kept.created_by, kept.fields)}, op="flags")
