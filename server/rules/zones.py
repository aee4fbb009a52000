"""Frontage responsibility zones (责任区): their versions, which is in force when, and which one a position speaks of.

A `ZoneIndex` is built once from all versions and is never changed; whoever imports zones builds a new one. Serves the
attribution of findings, `GET /zones.geojson`, `GET /zones/attribute` and the checks of an import (zone_import.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
        self.tree = shapely.STRtree(self.outlines)
        self.degrees_tree = shapely.STRtree(degrees)
        self._by_zone: dict[str, list[int]] = {}
        self._by_sticker: dict[str, list[int]] = {}
        for n, version in enumerate(self.versions):
            self._by_zone.setdefault(version.zone_id, []).append(n)
            if version.sticker_serial:
                self._by_sticker.setdefault(version.sticker_serial, []).append(n)
        self.starts, self.ends = self._reigns()

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

    def attribute(
        self,
        *,
        lon: float | None,
        lat: float | None,
        accuracy_m: float | None,
        at: datetime,
        sticker_serial: str | None = None,
        scopes: Sequence[str] | None = None,
    ) -> Attribution:
        """Which zone in force at `at` is meant by a position in EPSG:4490 degrees, a sticker, or both.

        A sticker decides unless it is implausibly far from the position, or two zones bear it.
        """
        bearers = self._in_force(self.with_sticker(sticker_serial), at)
        bearers = [n for n in bearers if _covered(self.versions[n].scope, scopes)]
        sticker = bearers[0] if len(bearers) == 1 else None
        x, y = (math.inf, math.inf) if lon is None or lat is None else self.plane.point(lon, lat)
        if not (math.isfinite(x) and math.isfinite(y)):
            return NO_ZONE if sticker is None else attribution.by_sticker_alone(self.versions[sticker])
        accuracy = attribution.usable_accuracy_m(accuracy_m)
        near = [n for n in self._near(x, y, attribution.search_radius_m(accuracy), at, scopes) if n != sticker]
        places = near if sticker is None else [sticker, *near]
        if not places:
            return NO_ZONE
        zones = [self.versions[n] for n in places]
        return attribution.weigh(zones, self.outlines[places], x, y, accuracy, None if sticker is None else 0)

    def _near(self, x: float, y: float, radius_m: float, at: datetime, scopes: Sequence[str] | None) -> list[int]:
        places = self.tree.query(shapely.Point(x, y), predicate="dwithin", distance=radius_m)
        return [n for n in self._in_force(sorted(places), at) if _covered(self.versions[n].scope, scopes)]

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
