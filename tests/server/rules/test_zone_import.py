"""A zone import: what is wrong is named feature by feature, the rest stands; hostile JSON raises nothing."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.demo.town import make_town
from server.reference import known_scope
from server.rules.crs import ring_from_4490
from server.rules.zone_import import check_features
from tests.server.rules.frontages import IDS, NOTHING, check, codes, feature, index_of, square

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "zones.geojson"


def test_a_sound_feature_is_read_whole():
    party = {"name": "一号店", "uscc": "92320412MA1ABCDE8X", "contact": "10000000001"}
    accepted, rejected = check(feature(zone_id=IDS[0], party=party, sticker_serial="HT-1", valid_to="2027-01-01"))
    assert rejected == []
    one = accepted[0]
    assert (one.index, one.zone_id, one.name, one.road, one.party, one.sticker_serial) == (
        (0, IDS[0], "一号店", "武宜路", party, "HT-1")
    )
    assert one.valid_from == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert one.valid_to == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert one.outline.exterior.coords[0] == (119.95, 31.70) and one.warnings == []


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-01-01", datetime(2025, 12, 31, 16, tzinfo=UTC)),
        ("2026-01-01T00:00:00+08:00", datetime(2025, 12, 31, 16, tzinfo=UTC)),
        ("2026-01-01T00:00:00.000Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_day_begins_in_beijing(given, moment):
    assert check(feature(valid_from=given))[0][0].valid_from == moment


@pytest.mark.parametrize("key", ["name", "scope", "party", "valid_from"])
@pytest.mark.parametrize("value", ["-", None])
def test_what_must_be_said_is_missed(key, value):
    _, rejected = check(feature(**{key: value}))
    assert rejected[0].code == "missing_property"
    assert f"缺少属性 {key}" in rejected[0].detail and f"Property {key} is missing" in rejected[0].detail


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 5},
        {"name": "x" * 501},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"road": []},
        {"party": "一号店"},
        {"party": {"name": {}}},
        {"party": {"name": "a", "contact": 1}},
        {"sticker_serial": 7},
        {"zone_id": "7"},
        {"zone_id": 7},
        {"zone_id": "{00000000-0000-7000-8000-000000000001}"},
        {"valid_from": "yesterday"},
        {"valid_from": "2026-02-30"},
        {"valid_from": 2026},
        {"valid_from": "2026-01-01T00:00:00"},
        {"valid_from": "0001-01-01"},
        {"valid_to": "2026-01-01"},
        {"valid_to": "2025-01-01"},
    ],
)
def test_properties_that_make_no_sense_are_refused(wrong):
    assert codes(feature(**wrong)) == ["invalid_property"]


def test_an_unusual_credit_code_is_only_a_warning():
    accepted, rejected = check(feature(party={"name": "一号店", "uscc": "92320412MA1ABCDE8Y"}))
    assert rejected == [] and accepted[0].warnings == ["uscc_check"]


def test_scopes_are_checked():
    assert codes(feature(scope="999")) == ["scope_unknown"]
    assert codes(feature(scope="410402001")) == ["out_of_scope"]
    assert codes(feature(scope="410402001"), scopes=None) == [None]
    assert codes(feature(), scopes=()) == ["out_of_scope"]


@pytest.mark.parametrize("crs", ["EPSG:3857", "", [], {}, 4326, "gcj-02"])
def test_an_unknown_coordinate_system_is_refused(crs):
    assert codes(feature(crs=crs)) == ["crs_unknown"]


def test_outlines_in_shifted_systems_are_brought_home():
    shifted = [ring_from_4490(square()[0], "GCJ-02").tolist()]
    accepted, _ = check(feature(shifted, crs="GCJ-02"))
    assert accepted[0].outline.equals_exact(check(feature())[0][0].outline, 1e-8)


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        [],
        {"type": "Point", "coordinates": [119, 31]},
        {"type": "LineString", "coordinates": square()[0]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [square()[0][:3]]},
        {"type": "Polygon", "coordinates": [square()[0][:4]]},
        {"type": "Polygon", "coordinates": square()[0]},
        {"type": "Polygon", "coordinates": [[[1, 1]] * 5]},
        {"type": "Polygon", "coordinates": [[["1", "2"]] * 5]},
        {"type": "Polygon", "coordinates": [[[True, False]] * 5]},
        {"type": "Polygon", "coordinates": [[[None, None]] * 5]},
        {"type": "Polygon", "coordinates": [[[INF, 0], [1, 1], [1, 0], [INF, 0]]]},
        {"type": "Polygon", "coordinates": [[[NAN, 0], [1, 1], [1, 0], [NAN, 0]]]},
        {"type": "Polygon", "coordinates": [[[10**400, 0], [1, 1], [1, 0], [10**400, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 91], [1, 1], [1, 0], [0, 91]]]},
        {"type": "MultiPolygon", "coordinates": [[], square()]},
        {"type": "Polygon", "coordinates": [*square(0, 0, 10), *square(50, 50, 5)]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]},
    ],
)
def test_outlines_that_are_none_are_refused(geometry):
    whole = feature()
    whole["geometry"] = geometry
    assert codes(whole) in (["invalid_geometry"], ["self_crossing"])


def test_a_bow_tie_is_self_crossing():
    (ring,) = square()
    bow = [ring[0], ring[2], ring[1], ring[3], ring[0]]
    assert codes(feature([bow])) == ["self_crossing"]


def test_a_zone_of_two_parts_and_a_height_are_fine():
    parts = [square(), square(100)]
    high = [[[*point, 5.0] for point in square(200)[0]]]
    assert codes(feature(geometry={"type": "MultiPolygon", "coordinates": parts}), feature(high)) == [None, None]


def test_of_two_features_that_overlap_the_first_stays():
    assert codes(feature(), feature(square(5)), feature(square(14))) == [None, "overlapping", None]


def test_touching_neighbours_and_slivers_are_no_overlap():
    assert codes(feature(), feature(square(10)), feature(square(0, 10)), feature(square(-9.997, 0))) == [None] * 4
    assert codes(feature(), feature(square(9.9))) == [None, "overlapping"]


def test_zones_that_never_stand_at_one_time_may_share_ground():
    assert codes(feature(valid_to="2026-06-01"), feature(valid_from="2026-06-01")) == [None, None]


def test_a_zone_in_force_keeps_its_ground_against_others():
    town = index_of(feature(zone_id=IDS[0]))
    assert codes(feature(square(5), zone_id=IDS[1]), feature(square(5)), existing=town) == ["overlapping"] * 2
    assert codes(feature(square(5), valid_from="2024-01-01", valid_to="2026-01-01"), existing=town) == [None]


def test_a_zone_may_be_redrawn_over_itself():
    town = index_of(feature(zone_id=IDS[0]))
    assert codes(feature(square(3), zone_id=IDS[0], valid_from="2026-05-01"), existing=town) == [None]


def test_two_neighbours_may_be_redrawn_together():
    town = index_of(feature(zone_id=IDS[0]), feature(square(10), zone_id=IDS[1]))
    moved = feature(square(-3), zone_id=IDS[1]), feature(square(7), zone_id=IDS[0])
    assert codes(*moved, existing=town) == [None, None]
    assert codes(moved[0], existing=town) == ["overlapping"]


def test_a_redraw_that_is_refused_makes_no_room():
    town = index_of(feature(zone_id=IDS[0]), feature(square(10), zone_id=IDS[1]), feature(square(40), zone_id=IDS[2]))
    refused = feature(square(42), zone_id=IDS[1])
    wants_its_place = feature(square(12), zone_id=IDS[0])
    assert codes(refused, wants_its_place, existing=town) == ["overlapping", "overlapping"]


def test_a_feature_without_zone_id_has_the_id_of_the_feature_if_that_is_a_uuid():
    accepted, _ = check({**feature(), "id": IDS[3].upper()}, {**feature(square(50)), "id": 7},
                        {**feature(square(90)), "id": "shop-9"}, {**feature(square(130), zone_id=IDS[1]), "id": IDS[2]})
    assert [one.zone_id for one in accepted] == [IDS[3], None, None, IDS[1]]


def test_a_zone_drawn_again_is_known_by_scope_name_and_outline():
    known = index_of(feature(zone_id=IDS[0], valid_to="2027-01-01"))
    turned = [square()[0][::-1]]
    accepted, _ = check(feature(turned, party={"name": "新店"}), existing=known)
    assert [one.zone_id for one in accepted] == [IDS[0]]
    later, _ = check(feature(valid_from="2027-01-01"), existing=known)
    assert [one.zone_id for one in later] == [None], "the old zone has ended"
    assert codes(feature(name="二号店"), existing=known) == ["overlapping"]
    assert codes(feature(), feature(), existing=known) == [None, "duplicate_zone"]


def test_what_was_in_force_is_not_changed_afterwards():
    known = index_of(feature(zone_id=IDS[0], valid_from="2026-06-01"))
    _, (rejected,) = check(feature(square(side_m=9), zone_id=IDS[0], valid_from="2026-05-31"), existing=known)
    assert (rejected.index, rejected.code) == (0, "invalid_property")
    assert "valid_from" in rejected.detail
    assert codes(feature(square(side_m=9), zone_id=IDS[0], valid_from="2026-06-01"), existing=known) == [None]


def test_a_zone_id_stands_once_in_a_file():
    assert codes(feature(zone_id=IDS[0]), feature(square(50), zone_id=IDS[0].upper())) == [None, "duplicate_zone"]


def test_a_sticker_belongs_to_one_zone():
    first = feature(zone_id=IDS[0], sticker_serial="HT-1")
    second = feature(square(50), zone_id=IDS[1], sticker_serial="HT-1")
    assert codes(first, second) == [None, "duplicate_sticker"]
    assert codes(second, existing=index_of(first)) == ["duplicate_sticker"]
    assert codes({**second, "properties": {**second["properties"], "zone_id": IDS[0]}}, existing=index_of(first)) == [
        None
    ]


def test_details_are_one_sentence_in_chinese_then_english():
    (rejected,) = check(feature(), feature(square(5), name="二号店"))[1]
    assert (rejected.index, rejected.name) == (1, "二号店")
    assert rejected.detail == ("与文件中第 0 个要素“一号店”重叠。It overlaps feature 0 of the file, “一号店”.")


def test_bad_features_do_not_harm_their_neighbours():
    accepted, rejected = check(None, feature(), {"type": "Feature"}, feature(square(20)), [[[]]])
    assert [one.index for one in accepted] == [1, 3]
    assert [one.index for one in rejected] == [0, 2, 4]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PLACES = [("geometry",), ("geometry", "coordinates"), ("geometry", "coordinates", 0), ("geometry", "coordinates", 0, 1)]
PLACES += [("geometry", "type"), ("properties",), ("type",)]
PLACES += [("properties", key) for key in ("name", "party", "scope", "valid_from", "valid_to", "crs", "zone_id")]


@settings(max_examples=300, deadline=None)
@given(JSON, st.sampled_from(PLACES))
def test_hostile_json_raises_nothing(junk, place):
    whole = deepcopy(feature())
    *path, last = place
    target = whole
    for key in path:
        target = target[key]
    target[last] = junk
    accepted, rejected = check(whole, feature(square(100)))
    assert len(accepted) + len(rejected) == 2


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_no_list_at_all_raises_nothing(junk):
    accepted, rejected = check_features(junk, NOTHING, None, known_scope)
    assert accepted == [] and all(one.detail for one in rejected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=6))
def test_any_ring_on_earth_is_answered(points):
    ring = [*points, points[0]]
    accepted, rejected = check(feature([ring]), feature(), existing=index_of(feature(square(500))))
    assert len(accepted) + len(rejected) == 2


@pytest.mark.parametrize("source", ["demo", "shared"])
def test_a_whole_town_imports_cleanly_and_again(source):
    if source == "shared" and not SHARED.exists():
        pytest.skip("shared/data is not beside the repository")
    whole = json.loads(SHARED.read_text(encoding="utf-8")) if source == "shared" else make_town(7).zones
    features = deepcopy(whole["features"])
    town = index_of(*features)
    assert len(town.versions) == len(features) > 600
    assert codes(*features, existing=town) == [None] * len(features)
    for one in features:
        one |= {"id": None, "properties": one["properties"] | {"zone_id": None, "sticker_serial": None}}
    assert set(codes(*features, existing=town)) == {None}, "each is known by scope, name and outline"
    for one in features:
        one["properties"]["name"] += "隔壁"
    assert set(codes(*features, existing=town)) == {"overlapping"}
