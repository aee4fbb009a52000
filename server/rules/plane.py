"""Metres from degrees: a transverse Mercator plane around the zones of one deployment, for distances and areas."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Proj

Shapes = NDArray[Any]  # of shapely geometries


class Plane:
    """Metric coordinates about one meridian on GRS 80; within 150 km of it lengths are true to 0.03 %."""

    def __init__(self, meridian: float = 120.0) -> None:
        self.meridian = meridian

    @classmethod
    def around(cls, outlines: Shapes) -> Plane:
        """The plane whose meridian is the median longitude of geometries in degrees."""
        if not len(outlines):
            return cls()
        west, _, east, _ = shapely.bounds(outlines).T
        return cls(round(float(np.median((west + east) / 2)), 2))

    @cached_property
    def _project(self) -> Proj:
        return Proj(proj="tmerc", lon_0=self.meridian, ellps="GRS80")

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        """Degrees of EPSG:4490 as (x, y) in metres; infinite where the plane does not reach."""
        x, y = self.points([(lon, lat)])[0]
        return float(x), float(y)

    def points(self, lonlats: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
        """Degrees of EPSG:4490 as rows (x, y) in metres; infinite or no number where the plane does not reach."""
        return np.column_stack(self._project(*np.array(lonlats, dtype=np.float64).reshape(-1, 2).T))

    def shapes(self, outlines: Shapes) -> Shapes:
        """Geometries in degrees as geometries in metres, all in one pass."""
        if not len(outlines):
            return outlines
        return np.asarray(shapely.transform(outlines, lambda lonlats: np.column_stack(self._project(*lonlats.T))))
