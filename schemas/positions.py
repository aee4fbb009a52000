"""Positions on the earth, as every root needs them: the wire's coordinate systems and the distance of two points."""

from math import asin, cos, radians, sin, sqrt

CRS_NAMES = ("EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09")
METRES_A_DEGREE = 111_320.0  # of the equator, and nearly of any meridian
EARTH_RADIUS_M = 6_371_008.8  # mean radius of GRS 80, (2a + b) / 3


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Metres along the great circle between two points in degrees of one system (haversine, error < 0.6 %)."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))
