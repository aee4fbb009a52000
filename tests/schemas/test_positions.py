"""Distances between positions."""

import pytest

from schemas.positions import CRS_NAMES, distance_m


def test_the_wire_knows_four_coordinate_systems():
    assert CRS_NAMES == ("EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09")


@pytest.mark.parametrize(
    ("points", "metres"),
    [
        ((0, 0, 0, 1), 111_195),
        ((0, 0, 1, 0), 111_195),
        ((0, 60, 1, 60), 55_597),
        ((179.5, 0, -179.5, 0), 111_195),
        ((0, 90, 180, -90), 20_015_115),
    ],
)
def test_distances_agree_with_the_sphere(points, metres):
    assert distance_m(*points) == pytest.approx(metres, abs=2)


def test_a_point_is_at_no_distance_from_itself():
    assert distance_m(119.95, 31.71, 119.95, 31.71) == 0
