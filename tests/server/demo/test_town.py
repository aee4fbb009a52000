"""The synthetic town: the same for the same seed, and as a real one would be laid out."""

import json
import re
from collections import Counter

import pytest
from pyproj import Geod
from shapely import Point, STRtree
from shapely.geometry import Polygon, shape

from server.demo.town import make_town

EARTH = Geod(ellps="WGS84")


@pytest.fixture(scope="module", params=[1, 20])
def town(request):
    return make_town(request.param)


@pytest.fixture(scope="module")
def outlines(town) -> list[Polygon]:
    return [shape(zone["geometry"]) for zone in town.zones["features"]]


def sides_m(outline: Polygon) -> list[float]:
    lons, lats = zip(*outline.exterior.coords, strict=True)
    return list(EARTH.inv(lons[:-1], lats[:-1], lons[1:], lats[1:])[2])


def pairs_that_meet(outlines: list[Polygon]) -> list[tuple[int, int]]:
    left, right = STRtree(outlines).query(outlines, predicate="intersects")
    return [(one, other) for one, other in zip(left, right, strict=True) if one < other]


def test_the_same_seed_makes_the_same_town_and_another_seed_another():
    assert make_town(3) == make_town(3)
    assert make_town(3).zones["features"][0] != make_town(4).zones["features"][0]


def test_there_are_about_seven_hundred_zones_on_seven_streets(town):
    assert 600 <= len(town.zones["features"]) <= 800
    assert len(town.shops) == len(town.zones["features"])
    streets = Counter(zone["properties"]["road"] for zone in town.zones["features"])
    assert streets.keys() == {road["properties"]["name"] for road in town.roads["features"]}
    assert {"武宜路", "花园街", "鸣新中路"} < streets.keys()
    assert len(streets) == 7


def test_outlines_are_valid_and_counter_clockwise(outlines):
    assert all(outline.is_valid and outline.exterior.is_ccw for outline in outlines)


def test_plain_zones_are_as_wide_and_deep_as_the_shop_says(town, outlines):
    for shop, outline in zip(town.shops, outlines, strict=True):
        if shop.second_street is None:
            assert sorted(sides_m(outline)) == pytest.approx(sorted([shop.frontage_m, shop.depth_m] * 2), abs=0.01)
            assert 4 <= shop.frontage_m <= 12
            assert 3 <= shop.depth_m <= 8


def test_neighbours_share_an_edge_and_no_pair_overlaps(outlines):
    shared = 0
    for one, other in pairs_that_meet(outlines):
        edge = outlines[one].intersection(outlines[other])
        assert edge.area == 0
        common = set(outlines[one].exterior.coords) & set(outlines[other].exterior.coords)
        shared += edge.length > 0 and len(common) == 2
    assert shared > 450


def test_runs_of_shops_end_at_walls_without_a_zone(outlines):
    neighbours = Counter(index for pair in pairs_that_meet(outlines) for index in pair)
    assert sum(neighbours[index] < 2 for index in range(len(outlines))) > 50


def test_corner_shops_have_an_outline_on_two_streets(town, outlines):
    corners = [(shop, outline) for shop, outline in zip(town.shops, outlines, strict=True) if shop.second_street]
    assert len(corners) >= 6
    for shop, outline in corners:
        assert len(outline.exterior.coords) == 7
        assert shop.second_street != shop.street
        assert max(sides_m(outline)) > shop.depth_m


def test_no_zone_reaches_into_a_carriageway(town, outlines):
    for road in town.roads["features"]:
        (west, south), (east, north) = road["geometry"]["coordinates"]
        length = EARTH.inv(west, south, east, north)[2]
        steps = EARTH.npts(west, south, east, north, int(length / 5))
        half = road["properties"]["carriageway_m"] / 2
        degrees = (half - 0.05) / 111_000  # a degree of longitude is shorter: this stays inside the carriageway
        line = STRtree([Point(place).buffer(degrees) for place in steps])
        assert len(line.query(outlines, predicate="intersects")[0]) == 0


def test_the_shop_stands_inside_its_zone_and_the_town_where_it_should(town, outlines):
    for shop, outline in zip(town.shops, outlines, strict=True):
        assert outline.contains(Point(shop.lon, shop.lat))
        assert 119.94 < shop.lon < 119.96
        assert 31.69 < shop.lat < 31.71


def test_streets_are_turned_away_from_the_axes(town):
    (_, south), (_, north) = town.roads["features"][2]["geometry"]["coordinates"]
    assert abs(north - south) > 0.0003


def test_zones_have_the_form_that_the_import_takes(town):
    for zone in town.zones["features"]:
        properties = zone["properties"]
        assert set(properties) == {
            "zone_id", "name", "road", "section", "scope", "party", "sticker_serial", "valid_from", "crs",
        }
        assert properties["scope"] == "320412100"
        assert re.fullmatch(r"DEMO-\d{5}", properties["sticker_serial"])
        assert properties["party"]["contact"].startswith("10000")
        assert len(properties["party"]["contact"]) == 11
    json.dumps(town.zones)


def test_ids_serials_and_codes_are_each_of_one_zone(town):
    properties = [zone["properties"] for zone in town.zones["features"]]
    for values in (
        [one["zone_id"] for one in properties],
        [one["sticker_serial"] for one in properties],
        [one["name"] for one in properties],
        [one["party"]["contact"] for one in properties],
        [one["party"]["uscc"] for one in properties if "uscc" in one["party"]],
    ):
        assert len(set(values)) == len(values)


def test_a_vacant_shop_falls_to_the_owner_who_has_no_code(town):
    vacant = [shop.serial - 1 for shop in town.shops if shop.trade is None]
    assert 5 < len(vacant) < 50
    for index in vacant:
        party = town.zones["features"][index]["properties"]["party"]
        assert "uscc" not in party
        assert "业主" in party["name"]


def test_everything_says_that_it_is_synthetic(town):
    assert "SYNTHETIC" in town.zones["description"]
    assert all(road["properties"]["synthetic"] for road in town.roads["features"])
