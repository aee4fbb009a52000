"""Frontage responsibility zones (责任区): their versions, which is in force when, and which one a position speaks of.

A `ZoneIndex` is built once from all versions and is never changed; whoever imports zones builds a new one. Serves the
attribution of findings, `GET /zones.geojson`, `GET /zones/attribute` and the checks of an import (zone_import.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from server.rules import attribution
from server.rules.attribution import NO_ZONE, Attribution
from server.rules.plane import Plane


@dataclass(frozen=True, eq=False)
class ZoneVersion:
    """One version of a zone; `outline` is a (multi)polygon in degrees of EPSG:4490, valid_to the first moment after."""

    zone_id: str
    version: int
    name: str
    road: str
    section: str
    scope: str
    party: dict[str, Any]
    sticker_serial: str | None
    valid_from: datetime
    valid_to: datetime | None
    outline: BaseGeometry


class Box(NamedTuple):
    """The bounds of a stretch of land, in degrees of EPSG:4490."""

    west: float
    south: float
    east: float
    north: float


class Ask(NamedTuple):
    """What is known of where a finding lies: a position in degrees of EPSG:4490, a sticker, or both; and when."""

    lon: float | None
    lat: float | None
    accuracy_m: float | None
    at: datetime
    sticker_serial: str | None = None


class ZoneIndex:
    """All versions of all zones, ready for questions of place and time.

    `outlines` are metric, counter-clockwise, in the order of `versions`; `starts` and `ends` are the times (POSIX
    seconds) between which each version is in force: from valid_from until valid_to or until a newer version of the
    zone starts.
    """

    def __init__(self, versions: Iterable[ZoneVersion]) -> None:
        self.versions = tuple(versions)
        degrees = np.array([version.outline for version in self.versions], dtype=object)
        self.plane = Plane.around(degrees)
        self.outlines = shapely.orient_polygons(self.plane.shapes(degrees))
        self.edges = attribution.edges_of(self.outlines)
        self.tree = shapely.STRtree(self.outlines)
        self.degrees_tree = shapely.STRtree(degrees)
        self._bounds: dict[str, Box | None] = {}
        self._by_zone: dict[str, list[int]] = {}
        self._by_sticker: dict[str, list[int]] = {}
        for n, version in enumerate(self.versions):
            self._by_zone.setdefault(version.zone_id, []).append(n)
            if version.sticker_serial:
                self._by_sticker.setdefault(version.sticker_serial, []).append(n)
        self.starts, self.ends = self._reigns()

    def bounds(self, scope: str) -> Box | None:
        """The box around all zones of a scope, whenever in force."""
        if scope not in self._bounds:
            own = [version.outline for version in self.versions if version.scope.startswith(scope)]
            self._bounds[scope] = Box(*shapely.total_bounds(own).tolist()) if own else None
        return self._bounds[scope]

    def newest(self, zone_id: str | None) -> ZoneVersion | None:
        """The newest version of a zone, in force or not; None for an unknown zone."""
        found = [self.versions[n] for n in self._by_zone.get(zone_id or "", ())]
        return max(found, key=lambda version: version.version, default=None)

    def in_force(self, zone_id: str, at: datetime) -> ZoneVersion | None:
        """The newest version with valid_from <= at; None if that one has ended, or the zone is unknown."""
        found = self._in_force(self._by_zone.get(zone_id, []), at)
        return self.versions[found[0]] if found else None

    def valid_at(
        self,
        at: datetime,
        *,
        bbox: tuple[float, float, float, float] | None = None,
        scopes: Sequence[str] | None = None,
    ) -> list[ZoneVersion]:
        """Versions in force, within a box (west, south, east, north in degrees of EPSG:4490) and scopes where given."""
        places = range(len(self.versions)) if bbox is None else sorted(self.degrees_tree.query(shapely.box(*bbox)))
        return [self.versions[n] for n in self._in_force(places, at) if _covered(self.versions[n].scope, scopes)]

    def bearing(self, sticker_serial: str, at: datetime) -> list[ZoneVersion]:
        """The versions in force that bear a sticker; one, where the stickers are in order."""
        return [self.versions[n] for n in self._in_force(self.with_sticker(sticker_serial), at)]

    def with_sticker(self, sticker_serial: str | None) -> Sequence[int]:
        """The places in `versions` that bear a sticker, at whatever time."""
        return self._by_sticker.get(sticker_serial or "", ())

    def attribute(self, *, lon: float | None, lat: float | None, accuracy_m: float | None, at: datetime,
                  sticker_serial: str | None = None) -> Attribution:
        """Which zone in force at `at` is meant by a position in EPSG:4490 degrees, a sticker, or both."""
        return self.attribute_all([Ask(lon, lat, accuracy_m, at, sticker_serial)])[0]

    def attribute_all(self, asks: Sequence[Ask]) -> list[Attribution]:
        """The attribution of each ask, all reckoned together.

        A sticker decides unless it is implausibly far from the position, or two zones bear it.
        """
        stickers = [self._sticker(ask) for ask in asks]
        accuracies = np.array([attribution.usable_accuracy_m(ask.accuracy_m) for ask in asks])
        spots = self.plane.points([(math.nan if ask.lon is None else ask.lon, math.nan if ask.lat is None else ask.lat)
                                   for ask in asks])
        placed = np.asarray(np.isfinite(spots).all(axis=1))
        points = np.full(len(asks), None, dtype=object)
        points[placed] = shapely.points(spots[placed])
        ask_of, place_of = self._near(asks, points, accuracies, placed, stickers)
        distances = shapely.distance(self.outlines[place_of], points[ask_of])
        chances = attribution.gaussian_mass(self.edges, place_of, spots[ask_of],
                                            accuracies[ask_of] / attribution.SIGMAS_IN_68_PERCENT)
        chances /= np.maximum(1.0, np.bincount(ask_of, weights=chances, minlength=len(asks)))[ask_of]
        ends = np.searchsorted(ask_of, np.arange(len(asks) + 1)).tolist()
        places_of, chances_of, distances_of = place_of.tolist(), chances.tolist(), distances.tolist()
        found: list[Attribution] = []
        for n, sticker in enumerate(stickers):
            own = slice(ends[n], ends[n + 1])
            places = places_of[own]
            if not places:
                alone = sticker is not None and not placed[n]
                nowhere = attribution.UNKNOWN_STICKER if asks[n].lon is None else NO_ZONE
                found.append(attribution.by_sticker_alone(self.versions[sticker or 0]) if alone else nowhere)
                continue
            found.append(attribution.weigh(
                [self.versions[place] for place in places], chances_of[own], distances_of[own], float(accuracies[n]),
                None if sticker is None else places.index(sticker)))
        return found

    def _sticker(self, ask: Ask) -> int | None:
        """The version in force that bears the sticker; None where none or two do."""
        bearers = self._in_force(self.with_sticker(ask.sticker_serial), ask.at) if ask.sticker_serial else []
        return bearers[0] if len(bearers) == 1 else None

    def _near(self, asks: Sequence[Ask], points: NDArray[Any], accuracies: NDArray[np.float64],
              placed: NDArray[np.bool_], stickers: Sequence[int | None]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs (ask, version in force within its search radius, or bearing its sticker), in the order of asks."""
        which = np.flatnonzero(placed)
        found = self.tree.query(points[which], predicate="dwithin",
                                distance=attribution.search_radius_m(accuracies[which]))
        ask_of, place_of = which[found[0]], found[1]
        moments = np.array([ask.at.timestamp() for ask in asks])[ask_of]
        reigns = (self.starts[place_of] <= moments) & (moments < self.ends[place_of])
        borne = np.array([(n, sticker) for n, sticker in enumerate(stickers) if sticker is not None and placed[n]],
                         dtype=np.int64).reshape(-1, 2)
        width = max(len(self.versions), 1)
        pairs = np.unique(np.concatenate([ask_of[reigns] * width + place_of[reigns], borne @ (width, 1)]))
        return pairs // width, pairs % width

    def _in_force(self, places: Iterable[int], at: datetime) -> list[int]:
        moment = at.timestamp()
        return [int(n) for n in places if self.starts[n] <= moment < self.ends[n]]

    def _reigns(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        starts = np.array([version.valid_from.timestamp() for version in self.versions])
        ends = np.array([version.valid_to.timestamp() if version.valid_to else math.inf for version in self.versions])
        for places in self._by_zone.values():
            newer = math.inf
            for n in sorted(places, key=lambda n: self.versions[n].version, reverse=True):
                ends[n] = min(ends[n], newer)
                newer = min(newer, starts[n])
        return starts, ends


def _covered(scope: str, scopes: Sequence[str] | None) -> bool:
    """A scope covers the codes that start with it; without scopes nothing is filtered."""
    return scopes is None or any(scope.startswith(one) for one in scopes)
