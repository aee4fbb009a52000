"""The roads of a file: lines stand, polygons are passed over, what is wrong is named; hostile JSON raises nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.reference import known_scope
from server.rules.crs import from_4490
from server.rules.road_features import MOST_POSITIONS, Roads, check_roads
from tests.bureau import a_road

SCOPE = "320412100"
LINE = [[119.95, 31.70], [119.96, 31.71]]


def check(*features: Any, scopes: tuple[str, ...] | None = ("32",)) -> Roads:
    return check_roads(features, scopes=scopes, known_scope=known_scope)


def codes(*features: Any, **given: Any) -> list[str]:
    return [one.code for one in check(*features, **given).rejected]


def test_a_sound_road_is_read_whole():
    road, = check(a_road(LINE, SCOPE, road_id="R-1", section="武宜路(东段)", carriageway_m=22)).accepted
    assert (road.road_id, road.name, road.section, road.scope, road.width_m) == (
        "R-1", "武宜路", "武宜路(东段)", SCOPE, 22.0)
    assert [list(point) for point in road.line.coords] == LINE


def test_a_road_of_several_lines_has_all_of_them():
    feature = a_road(LINE, SCOPE)
    feature["geometry"] = {"type": "MultiLineString", "coordinates": [LINE, [[119.97, 31.70, 5], [119.98, 31.70, 5]]]}
    assert len(check(feature).accepted[0].line.geoms) == 2


def test_width_m_serves_where_no_carriageway_is_told():
    assert check(a_road(LINE, SCOPE, width_m=9, carriageway_m=None)).accepted[0].width_m == 9
    assert check(a_road(LINE, SCOPE)).accepted[0].width_m is None


def test_positions_of_a_phone_map_are_shifted_back():
    shifted = [list(from_4490(*point, "GCJ-02")) for point in LINE]
    road, = check(a_road(shifted, SCOPE, crs="GCJ-02")).accepted
    assert [point for pair in road.line.coords for point in pair] == pytest.approx(
        [point for pair in LINE for point in pair], abs=2e-7)


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
def test_polygons_are_passed_over_and_counted(kind):
    ground = {"type": "Feature", "properties": {}, "geometry": {"type": kind, "coordinates": []}}
    found = check(ground, a_road(LINE, SCOPE))
    assert (len(found.accepted), found.skipped, found.rejected) == (1, 1, [])


def test_an_id_is_the_road_everywhere_a_feature_id_in_its_scope_and_names_where_there_is_neither():
    def known(scope: str, **more: Any) -> str:
        return check(a_road(LINE, scope, **more)).accepted[0].road_id

    other = "320412101"
    assert known(SCOPE, road_id="R") == known(other, road_id="R", id="street-1") == "R"
    assert known(SCOPE, id="street-1") == known(SCOPE, id="street-1", name="改名路") != known(other, id="street-1")
    assert known(SCOPE, id=7) == known(SCOPE, id="7") != known(SCOPE)
    assert known(SCOPE) == known(SCOPE, carriageway_m=5) != known(SCOPE, section="东段")
    assert known(SCOPE, id=None) == known(SCOPE, id="") == known(SCOPE)


def test_of_two_that_are_the_same_road_the_first_stands():
    found = check(a_road(LINE, SCOPE), a_road(LINE[::-1], SCOPE), a_road(LINE, SCOPE, section="东段"))
    assert [road.index for road in found.accepted] == [0, 2]
    assert [(one.index, one.name, one.code) for one in found.rejected] == [(1, "武宜路", "duplicate_road")]


@pytest.mark.parametrize(("properties", "code"), [
    ({"name": None}, "missing_property"), ({"name": " "}, "missing_property"), ({"name": 7}, "invalid_property"),
    ({"scope": None}, "missing_property"), ({"scope": "999999999"}, "scope_unknown"), ({"scope": "32"}, "out_of_scope"),
    ({"crs": "EPSG:3857"}, "crs_unknown"), ({"section": "x" * 501}, "invalid_property"),
    ({"road_id": "x" * 81}, "invalid_property"), ({"carriageway_m": 0}, "invalid_property"),
    ({"carriageway_m": "wide"}, "invalid_property"), ({"width_m": True}, "invalid_property"),
    ({"width_m": 1e9}, "invalid_property"), ({"id": "x\0"}, "invalid_property"),
    ({"id": [1]}, "invalid_property")])
def test_a_property_that_will_not_do_is_named(properties, code):
    feature = a_road(LINE, SCOPE, id=properties.get("id"))
    feature["properties"] |= properties
    assert codes(feature, scopes=("3204",)) == [code]


@pytest.mark.parametrize("geometry", [
    None, 7, {}, {"type": "Point", "coordinates": LINE[0]}, {"type": "LineString"},
    *({"type": "LineString", "coordinates": wrong} for wrong in (
        [], "x", LINE[:1], [LINE[0], LINE[0]], [LINE[0], [1e308, 1e308]], [LINE[0], ["a", "b"]], [LINE[0], [119.95]],
        [LINE[0], None], [[119.95 + n * 1e-6, 31.7] for n in range(MOST_POSITIONS + 1)])),
    {"type": "MultiLineString", "coordinates": [LINE, []]}, {"type": "MultiLineString", "coordinates": LINE}])
def test_a_geometry_that_is_no_line_is_named(geometry):
    assert codes({**a_road(LINE, SCOPE), "geometry": geometry}) == ["invalid_geometry"]


def test_a_road_in_another_part_of_the_world_is_none_of_ours():
    assert codes(a_road([[0, 0], [1, 1]], SCOPE)) == ["out_of_scope"]


ANYTHING = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(
    inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4), max_leaves=12)
FEATURES = ANYTHING | st.fixed_dictionaries({}, optional={
    "type": st.just("Feature") | ANYTHING, "id": ANYTHING,
    "properties": ANYTHING | st.fixed_dictionaries({"name": st.text() | ANYTHING, "scope": st.just(SCOPE)}, optional={
        "road_id": ANYTHING, "carriageway_m": ANYTHING, "crs": ANYTHING}),
    "geometry": ANYTHING | st.fixed_dictionaries({
        "type": st.sampled_from(["LineString", "MultiLineString", "Polygon"]),
        "coordinates": ANYTHING | st.lists(st.lists(st.floats() | st.integers(), max_size=4), max_size=4)})})


@given(st.lists(FEATURES, max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_came_each_feature_is_accounted_for_once(features):
    found = check(*features)
    assert len(found.accepted) + found.skipped + len(found.rejected) == len(features)
    assert all(one.code and one.detail for one in found.rejected)
