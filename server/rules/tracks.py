"""Where a patrol's track says that the inspector was at a moment, and how sure that is. Pure.

Points come in any order and in any of the wire's coordinate systems; places are compared in EPSG:4490. Figures stand in
`server/reference/tracks.json`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.positions import distance_m
from schemas.values import STAMP, parse_time, stamp
from server.rules.crs import to_4490

Point = Mapping[str, Any]


@dataclass(slots=True)
class Timeline:
    """The points of one track that tell time, place and coordinate system, by time. `learn` takes a list that only
    grows and looks at what is new."""

    times: list[tuple[str, int]] = field(default_factory=list)
    seen: int = 0
    newest: Any = None

    def learn(self, points: Sequence[Point]) -> Timeline:
        if self.seen > len(points) or (self.seen and points[self.seen - 1]["id"] != self.newest):
            self.times, self.seen = [], 0  # what was learnt was undone
        for place, point in enumerate(points[self.seen:], self.seen):
            if (at := time_of(point)) is not None:
                insort(self.times, (at, place))
        self.seen, self.newest = len(points), points[-1]["id"] if points else None
        return self

    def around(self, at: str, points: Sequence[Point]) -> tuple[Point | None, Point | None]:
        """The last point up to that time, and the first one after it."""
        place = bisect_right(self.times, (at, len(points)))
        before = points[self.times[place - 1][1]] if place else None
        return before, points[self.times[place][1]] if place < len(self.times) else None


@dataclass(frozen=True, slots=True)
class Seen:
    """A point of a track: when, where (EPSG:4490, degrees), and the radius that it claims to lie in."""

    at: datetime
    lon: float
    lat: float
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place (EPSG:4490, degrees), the radius in which he must have been, and the points that say so."""

    lon: float
    lat: float
    uncertainty_m: float
    before: Seen | None
    after: Seen | None


def time_of(point: Point) -> str | None:
    """A point's time as a wire time; None for one without time, place or coordinate system: nothing is guessed."""
    if any(point.get(name) is None for name in ("at", "lon", "lat", "crs")):
        return None
    at = str(point["at"])
    return at if STAMP.fullmatch(at) else stamp(parse_time(at))


def moved(at: datetime, by: timedelta) -> datetime:
    """A time that much later, or as much as the calendar has room for: clocks of devices say anything."""
    try:
        return at + by
    except OverflowError:
        return at


def whereabouts(neighbours: Iterable[Point | None], at: datetime, figures: Mapping[str, Any]) -> Whereabouts | None:
    """Where the points next to a moment put him then; None where they lie too far away in time to say.

    Between two points he went straight and evenly, astray by no more than his pace times the time to the nearer one.
    """
    near = [_seen(point, figures) for point in neighbours if point is not None]
    before = max((one for one in near if one.at <= at), key=lambda one: one.at, default=None)
    after = min((one for one in near if one.at > at), key=lambda one: one.at, default=None)
    if before and after and (gap_s := (after.at - before.at).total_seconds()) <= figures["between_most_s"]:
        share = (at - before.at).total_seconds() / gap_s
        pace_m_s = max(figures["walking_m_s"], distance_m(before.lon, before.lat, after.lon, after.lat) / gap_s)
        astray_m = pace_m_s * gap_s * min(share, 1 - share)
        return Whereabouts(before.lon + share * (after.lon - before.lon), before.lat + share * (after.lat - before.lat),
                           max(before.accuracy_m, after.accuracy_m) + astray_m, before, after)
    nearest = min((one for one in (before, after) if one), key=lambda one: abs(one.at - at), default=None)
    if nearest is None or (apart_s := abs(nearest.at - at).total_seconds()) > figures["alone_most_s"]:
        return None
    return Whereabouts(nearest.lon, nearest.lat, nearest.accuracy_m + figures["walking_m_s"] * apart_s,
                       before if nearest is before else None, after if nearest is after else None)


def too_far(claim: str, lon: float, lat: float, accuracy_m: float, track: Whereabouts, at: datetime,
            figures: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a `place_conflict` says where a claimed place (EPSG:4490) cannot be reconciled with the track; else None.
    The track's own places stay out of it: flags are read by more people than tracks are."""
    apart_m = distance_m(lon, lat, track.lon, track.lat)
    if apart_m <= accuracy_m + track.uncertainty_m + figures["beyond_m"]:
        return None
    seconds = {name: round(abs(one.at - at).total_seconds(), 1)
               for name, one in (("before_s", track.before), ("after_s", track.after)) if one}
    return {"rule": f"{claim} and track more than accuracies + {figures['beyond_m']:g} m apart",
            "between": [claim, "track"], "distance_m": round(apart_m, 1), "accuracy_m": accuracy_m,
            "uncertainty_m": round(track.uncertainty_m, 1), **seconds}


def _seen(point: Point, figures: Mapping[str, Any]) -> Seen:
    lon, lat = to_4490(point["lon"], point["lat"], point["crs"])
    accuracy_m = point.get("accuracy_m")
    return Seen(parse_time(point["at"]), lon, lat,
                float(figures["default_accuracy_m"] if accuracy_m is None else accuracy_m))
