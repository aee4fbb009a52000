"""Coordinates of the four systems that phones and maps send, brought to EPSG:4490 and back.

EPSG:4326 and EPSG:4490 differ by centimetres and count as equal. GCJ-02 (Gaode, Tencent, many phone SDKs) shifts
positions by 300 to 700 m, BD-09 (Baidu) shifts those again. The shift applies inside the polygon
`server/reference/gcj02_area.json` only; Hong Kong, Macau, Taiwan and the rest of the world lie outside and stay as
they are, in BD-09 too. Serves zones, positions of findings and pages. Source of the formulas: the published GCJ-02
and BD-09 transforms, Krasovsky 1940 ellipsoid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from schemas.positions import CRS_NAMES
from server.reference import gcj02_area

CONVERTER_VERSION = "1"
Lonlats = NDArray[np.float64]  # shape (n, 2), degrees, longitude first

SEMI_MAJOR_M = 6_378_245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
BAIDU_PI = np.pi * 3000 / 180
ROUNDS = 30  # each round of the inverse shrinks its error about a thousandfold; it stops much earlier


class CrsUnknown(ValueError):
    """The coordinate system is none of `CRS_NAMES`."""


def to_4490(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """One point in degrees of `crs` as (lon, lat) in EPSG:4490; raises CrsUnknown."""
    moved = ring_to_4490([(lon, lat)], crs)[0]
    return float(moved[0]), float(moved[1])


def from_4490(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """One EPSG:4490 point as (lon, lat) in degrees of `crs`; raises CrsUnknown."""
    moved = ring_from_4490([(lon, lat)], crs)[0]
    return float(moved[0]), float(moved[1])


def ring_to_4490(points: Sequence[Sequence[float]] | Lonlats, crs: str) -> Lonlats:
    """Many points of `crs`, shape (n, 2), in EPSG:4490; a point whose origin lies outside the shifted area stays."""
    moved = _checked(points, crs)
    if crs in SHIFTS:
        near = _near(moved)
        origin = _inverse(moved[near], crs)
        moved[near] = np.where(_shifted_here(origin), origin, moved[near])
    return moved


def ring_from_4490(points: Sequence[Sequence[float]] | Lonlats, crs: str) -> Lonlats:
    """Many EPSG:4490 points, shape (n, 2), in `crs`; a point outside the shifted area stays."""
    moved = _checked(points, crs)
    if crs in SHIFTS:
        near = _near(moved)
        origin = moved[near]
        moved[near] = np.where(_shifted_here(origin), SHIFTS[crs](origin), origin)
    return moved


def _checked(points: Sequence[Sequence[float]] | Lonlats, crs: str) -> Lonlats:
    if crs not in CRS_NAMES:
        raise CrsUnknown(f"坐标系未知。Unknown coordinate system: {str(crs)[:40]!r}.")
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def _near(points: Lonlats) -> NDArray[np.bool_]:
    """Which points may be shifted at all: those within a degree of the shifted area's bounding box."""
    west, south, east, north = gcj02_area().bounds
    return np.asarray(np.all((points > (west - 1, south - 1)) & (points < (east + 1, north + 1)), axis=1))


def _inverse(sent: Lonlats, crs: str) -> Lonlats:
    """The points whose shift gives `sent`, by fixed-point iteration to below 1e-9 degrees."""
    origin = sent.copy()
    for _ in range(ROUNDS):
        miss = sent - SHIFTS[crs](origin)
        origin += miss
        if not np.any(np.abs(miss) > 1e-12):
            break
    return origin


def _shifted_here(origin: Lonlats) -> NDArray[np.bool_]:
    """A column of flags, shape (n, 1)."""
    return np.asarray(shapely.contains_xy(gcj02_area(), origin[:, 0], origin[:, 1])).reshape(-1, 1)


def _gcj02(origin: Lonlats) -> Lonlats:
    x, y = origin[:, 0] - 105.0, origin[:, 1] - 35.0
    phi = np.radians(origin[:, 1])
    magic = 1 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian_m = SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED) / magic**1.5
    parallel_m = SEMI_MAJOR_M / np.sqrt(magic) * np.cos(phi)
    shift = np.column_stack([np.degrees(_east_m(x, y) / parallel_m), np.degrees(_north_m(x, y) / meridian_m)])
    return np.asarray(origin + shift)


def _east_m(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    waves = 20 * _sin(6 * x) + 20 * _sin(2 * x) + 20 * _sin(x) + 40 * _sin(x / 3)
    return np.asarray(east + (waves + 150 * _sin(x / 12) + 300 * _sin(x / 30)) * 2 / 3)


def _north_m(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    waves = 20 * _sin(6 * x) + 20 * _sin(2 * x) + 20 * _sin(y) + 40 * _sin(y / 3)
    return np.asarray(north + (waves + 160 * _sin(y / 12) + 320 * _sin(y / 30)) * 2 / 3)


def _sin(half_turns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sin(half_turns * np.pi))


def _bd09(origin: Lonlats) -> Lonlats:
    gcj = _gcj02(origin)
    x, y = gcj[:, 0], gcj[:, 1]
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * BAIDU_PI)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BAIDU_PI)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


SHIFTS = {"GCJ-02": _gcj02, "BD-09": _bd09}
