"""Coordinates: the published vector, round trips, and what must not be shifted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.positions import distance_m
from server.rules.crs import CrsUnknown, from_4490, ring_from_4490, ring_to_4490, to_4490

INSIDE = st.tuples(st.floats(100, 120), st.floats(25, 40))


def test_the_published_vector_of_gcj02_is_met():
    lon, lat = from_4490(116.359496, 39.909745, "GCJ-02")
    assert (lon, lat) == pytest.approx((116.365697909, 39.911112866), abs=1e-9)


@given(INSIDE, st.sampled_from(["GCJ-02", "BD-09", "EPSG:4326", "EPSG:4490"]))
def test_a_round_trip_stays_within_a_billionth_of_a_degree(point, crs):
    assert to_4490(*from_4490(*point, crs), crs) == pytest.approx(point, abs=1e-9)


@pytest.mark.parametrize(
    ("lon", "lat", "metres"),
    [(119.974, 31.811, 503), (119.95, 31.70, 501), (121.13, 31.458, 481), (113.19, 33.766, 602)],
)
def test_the_shift_in_the_cities_is_as_known(lon, lat, metres):
    assert distance_m(lon, lat, *from_4490(lon, lat, "GCJ-02")) == pytest.approx(metres, abs=8)


@pytest.mark.parametrize("crs", ["GCJ-02", "BD-09"])
@pytest.mark.parametrize(
    "point",
    [(114.17, 22.32), (113.55, 22.19), (121.5, 25.04), (139.7, 35.7), (105.85, 21.03), (106.9, 47.9), (-74, 40.7)],
    ids=["Hong Kong", "Macau", "Taipei", "Tokyo", "Hanoi", "Ulaanbaatar", "New York"],
)
def test_points_outside_the_shifted_area_stay(point, crs):
    assert to_4490(*point, crs) == point
    assert from_4490(*point, crs) == point


@pytest.mark.parametrize(
    "point",
    [
        (114.06, 22.54),
        (118.08, 24.45),
        (124.37, 40.13),
        (127.53, 50.245),
        (75.99, 39.47),
        (109.5, 18.24),
        (122.2, 30.0),
    ],
    ids=["Shenzhen", "Xiamen", "Dandong", "Heihe", "Kashgar", "Sanya", "Zhoushan"],
)
def test_towns_near_border_and_coast_are_shifted(point):
    assert distance_m(*point, *from_4490(*point, "GCJ-02")) > 100


@pytest.mark.parametrize("point", [(0, 90), (180, -90), (1e308, -1e308), (float("inf"), 0), (0, 0)])
def test_points_at_the_edge_of_numbers_pass_unharmed(point):
    assert to_4490(*point, "BD-09") == point


@pytest.mark.parametrize("crs", ["", "WGS84", "epsg:4326", None])
def test_an_unknown_system_is_named(crs):
    with pytest.raises(CrsUnknown, match="Unknown coordinate system"):
        to_4490(119.95, 31.7, crs)


def test_a_ring_moves_as_its_points_do():
    ring = [(119.95, 31.70), (119.96, 31.70), (139.7, 35.7)]
    moved = ring_to_4490(ring, "BD-09")
    assert moved.tolist() == [list(to_4490(*point, "BD-09")) for point in ring]
    assert np.allclose(ring_from_4490(moved, "BD-09"), ring, atol=1e-9)
    assert ring == [(119.95, 31.70), (119.96, 31.70), (139.7, 35.7)]
