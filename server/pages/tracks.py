"""Where the track of a photo's maker puts him when he took it: the fourth column of the facts.

Tracks of officers are sensitive (PIPL art. 28): reviewers, supervisors and auditors see them here, and everybody his
own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from schemas.positions import distance_m
from schemas.values import parse_time, stamp
from server.auth import me
from server.db import db
from server.pages.evidence import Panel, file_place
from server.rules.tracks import Point, Timeline, Whereabouts
from server.trade.tracks import place_on, tracks_near
from sync.kept import RECORD, kept_from

ONLOOKERS = ("reviewer", "supervisor", "auditor")


def places_on_tracks(photos: Iterable[Panel]) -> dict[str, dict[str, Any]]:
    """By evidence record where its maker's track puts him: `{lon, lat, uncertainty_m, before, after, from_device,
    from_file}`, distances in metres; empty where it says nothing. Photos of people whose track the one who asks may not
    see are left out."""
    shown = [panel for panel in photos if may_see_track(panel.kept.created_by)]
    times = {panel.kept.id: parse_time(panel.fields["captured_at"]) for panel in shown}
    near = {panel.kept.id: tracks_near(db.session(), panel.kept.created_by, times[panel.kept.id]) for panel in shown}
    tracks = _read({track_id for ids in near.values() for track_id in ids})
    return {panel.kept.id: _said(panel, place_on([tracks[one] for one in near[panel.kept.id] if one in tracks],
                                                 times[panel.kept.id])) for panel in shown}


def may_see_track(user_id: str) -> bool:
    """May the one who asks see where this person went?"""
    return me().has_role(*ONLOOKERS) or me().user_id == user_id


def _said(panel: Panel, track: Whereabouts | None) -> dict[str, Any]:
    if track is None:
        return {}
    return {"lon": track.lon, "lat": track.lat, "uncertainty_m": track.uncertainty_m,
            "before": stamp(track.before.at) if track.before else None,
            "after": stamp(track.after.at) if track.after else None,
            "from_device": _apart_m(panel.fields.get("position"), track),
            "from_file": _apart_m(file_place(panel), track)}


def _apart_m(position: Mapping[str, Any] | None, track: Whereabouts) -> float | None:
    place = (position or {}).get("normalized")
    return distance_m(place["lon"], place["lat"], track.lon, track.lat) if place else None


def _read(ids: set[str]) -> dict[str, tuple[Sequence[Point], Timeline]]:
    """The points of these tracks, but for deleted ones."""
    rows = db.session.execute(select(RECORD).where(RECORD.c.id.in_(ids), RECORD.c.deleted.is_(False))).mappings()
    found = {row["id"]: kept_from(row).fields.get("points") or [] for row in rows}
    return {track_id: (points, Timeline().learn(points)) for track_id, points in found.items()}
