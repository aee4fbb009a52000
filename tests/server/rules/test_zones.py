"""Zones: versions in force, and honest attribution of positions and stickers."""

import json
from datetime import UTC, datetime, timedelta
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from server.demo.town import make_town
from server.rules.attribution import edges_of, gaussian_mass
from server.rules.plane import Plane
from server.rules.zones import ZoneIndex, ZoneVersion

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "zones.geojson"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
LON, LAT = 119.95, 31.70
DEGREES_A_METRE = 1 / 111_195


def rectangle(east_m, north_m, width_m, depth_m):
    """Degrees of a rectangle whose south-west corner lies so many metres from (LON, LAT)."""
    per_lon = DEGREES_A_METRE / np.cos(np.radians(LAT))
    west, south = LON + east_m * per_lon, LAT + north_m * DEGREES_A_METRE
    return shapely.box(west, south, west + width_m * per_lon, south + depth_m * DEGREES_A_METRE)


def zone(zone_id, outline, *, version=1, since=START, until=None, sticker=None, scope="320412100"):
    return ZoneVersion(zone_id, version, zone_id, "", "", scope, {"name": zone_id}, sticker, since, until, outline)


def at_metres(index, east_m, north_m, accuracy_m, **more):
    lon = LON + east_m * DEGREES_A_METRE / np.cos(np.radians(LAT))
    lat = LAT + north_m * DEGREES_A_METRE
    return index.attribute(lon=lon, lat=lat, accuracy_m=accuracy_m, at=more.pop("at", NOW), **more)


@pytest.fixture(scope="module")
def street():
    """Five shops of 10 m by 6 m in a row, from a (0..10 m) to e (40..50 m)."""
    return ZoneIndex([zone(name, rectangle(n * 10, 0, 10, 6), sticker=f"S-{name}") for n, name in enumerate("abcde")])


def test_the_newest_version_that_has_begun_is_in_force():
    redrawn = START + timedelta(days=60)
    old, new = rectangle(0, 0, 10, 6), rectangle(0, 0, 8, 6)
    index = ZoneIndex([zone("a", new, version=2, since=redrawn), zone("a", old)])
    assert index.in_force("a", START - timedelta(seconds=1)) is None
    assert index.in_force("a", START).version == 1
    assert index.in_force("a", redrawn - timedelta(seconds=1)).version == 1
    assert index.in_force("a", redrawn).version == 2
    assert index.in_force("unknown", NOW) is None


def test_a_zone_whose_newest_version_ended_has_none_in_force():
    ended = START + timedelta(days=30)
    index = ZoneIndex([zone("a", rectangle(0, 0, 10, 6)), zone("a", rectangle(0, 0, 9, 6), version=2, until=ended)])
    assert index.in_force("a", ended - timedelta(seconds=1)).version == 2
    assert index.in_force("a", ended) is None
    assert at_metres(index, 5, 3, 1, at=ended).decision == "none"


def test_a_later_redraw_does_not_move_what_was_seen_before():
    redrawn = START + timedelta(days=60)
    index = ZoneIndex(
        [
            zone("a", rectangle(0, 0, 10, 6)),
            zone("a", rectangle(0, 0, 5, 6), version=2, since=redrawn),
            zone("b", rectangle(5, 0, 5, 6), since=redrawn),
        ]
    )
    before, after = (at_metres(index, 7.5, 3, 0.5, at=moment) for moment in (NOW - timedelta(days=90), NOW))
    assert [(one.zone_id, one.version) for one in before.candidates] == [("a", 1)]
    assert (after.candidates[0].zone_id, after.candidates[0].version) == ("b", 1)


def test_deep_inside_with_a_good_fix_is_certain(street):
    found = at_metres(street, 25, 3, 1)
    assert found.decision == "certain"
    first = found.candidates[0]
    assert (first.zone_id, first.inside, first.distance_m, first.method) == ("c", True, 0, "position")
    assert first.probability > 0.98
    assert found.as_field()["zone_id"] == "c" and found.as_field()["version"] == 1


def test_on_the_common_edge_two_neighbours_share_the_chance(street):
    found = at_metres(street, 20, 3, 1)
    assert found.decision == "ambiguous" or abs(found.candidates[0].probability - 0.5) < 0.01
    first, second = found.candidates[:2]
    assert {first.zone_id, second.zone_id} == {"b", "c"}
    assert first.probability == pytest.approx(second.probability, abs=2e-3)
    assert first.probability + second.probability <= 1


def test_in_front_of_a_frontage_there_are_candidates_with_honest_figures(street):
    found = at_metres(street, 25, -2, 5)
    first = found.candidates[0]
    assert (first.zone_id, first.inside) == ("c", False)
    assert first.distance_m == pytest.approx(2, abs=0.05)
    assert 0.1 < first.probability < 0.5
    assert found.decision == "ambiguous"
    assert found.as_field()["zone_id"] is None and len(found.as_field()["candidates"]) >= 3


def test_far_from_all_zones_there_is_none(street):
    for east, north in [(25, 200), (5_000, 0), (-3_000_000, 0)]:
        assert at_metres(street, east, north, 10).as_wire() == {"decision": "none", "candidates": []}


@pytest.mark.parametrize("accuracy_m", [None, 0, -1, float("nan"), float("inf"), 1e12])
def test_a_missing_or_senseless_accuracy_is_survived(street, accuracy_m):
    found = at_metres(street, 25, 3, accuracy_m)
    assert found.candidates[0].zone_id == "c"
    assert found.decision == ("certain" if accuracy_m == 0 else "ambiguous")


@pytest.mark.parametrize(("lon", "lat"), [(None, None), (500, 31), (float("nan"), 31), (119.95, 91), (-60, -31)])
def test_a_position_that_is_none_gives_no_zone(street, lon, lat):
    assert street.attribute(lon=lon, lat=lat, accuracy_m=5, at=NOW).decision == "none"


def test_a_sticker_names_its_zone(street):
    found = at_metres(street, 40, 3, 20, sticker_serial="S-a")
    assert found.decision == "certain"
    assert (found.candidates[0].zone_id, found.candidates[0].method) == ("a", "sticker")
    assert sum(one.probability for one in found.candidates) <= 1
    assert found.as_field()["method"] == "sticker"


def test_a_sticker_that_is_implausibly_far_leaves_the_decision_to_the_position(street):
    far = ZoneIndex([*street.versions, zone("z", rectangle(2_000, 0, 10, 6), sticker="S-z")])
    found = at_metres(far, 25, 3, 1, sticker_serial="S-z")
    assert found.decision == "certain" and found.candidates[0].zone_id == "c"
    assert [(one.zone_id, one.method) for one in found.candidates if one.method == "sticker"] == [("z", "sticker")]
    assert found.candidates[-1].distance_m == pytest.approx(1975, abs=5)


def test_a_coarse_fix_reaches_farther_for_its_sticker(street):
    near = {"sticker_serial": "S-e"}
    assert at_metres(street, -150, 3, 5, **near).decision == "none"
    assert at_metres(street, -150, 3, 60, **near).decision == "certain"


def test_a_sticker_is_enough_without_a_position(street):
    found = street.attribute(lon=None, lat=None, accuracy_m=None, at=NOW, sticker_serial="S-b")
    assert (found.decision, found.candidates[0].zone_id, found.candidates[0].distance_m) == ("certain", "b", None)
    assert street.attribute(lon=None, lat=None, accuracy_m=None, at=NOW, sticker_serial="S-?").decision == "none"


def test_two_zones_with_one_sticker_do_not_let_it_decide():
    index = ZoneIndex([zone(name, rectangle(n * 10, 0, 10, 6), sticker="S") for n, name in enumerate("ab")])
    found = at_metres(index, 5, 3, 0.5, sticker_serial="S")
    assert {one.method for one in found.candidates} == {"position"}


def test_zones_in_a_box_are_listed(street):
    box = rectangle(12, 1, 16, 2).bounds
    assert [one.zone_id for one in street.valid_at(NOW, bbox=box)] == ["b", "c"]
    assert len(street.valid_at(NOW)) == 5
    assert street.valid_at(START - timedelta(days=1)) == []
    assert street.valid_at(NOW, scopes=["41"]) == []


def test_an_empty_index_answers():
    index = ZoneIndex([])
    assert at_metres(index, 0, 0, 5).decision == "none"
    assert index.valid_at(NOW, bbox=(0, 0, 180, 90)) == [] and index.in_force("a", NOW) is None


@settings(max_examples=60, deadline=None)
@given(st.floats(-20, 70), st.floats(-20, 30), st.one_of(st.none(), st.floats(0, 500)))
def test_probabilities_never_sum_to_more_than_one(street, east, north, accuracy_m):
    found = at_metres(street, east, north, accuracy_m)
    chances = [one.probability for one in found.candidates]
    assert 0 <= sum(chances) <= 1
    assert chances == sorted(chances, reverse=True)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 24), st.floats(-5, 10), st.floats(0.5, 30))
def test_mirrored_positions_have_mirrored_probabilities(street, east, north, accuracy_m):
    left, right = (at_metres(street, place, north, accuracy_m).candidates for place in (25 - east, 25 + east))
    mirrored = {one.zone_id: one.probability for one in right}
    for one in left:
        twin = "edcba"["abcde".index(one.zone_id)]
        assert one.probability == pytest.approx(mirrored.get(twin, 0), abs=2e-3)


@given(st.floats(0.3, 80), st.floats(1.1, 3))
def test_a_worse_fix_makes_the_zone_around_it_less_probable(street, accuracy_m, worse):
    good, bad = (
        at_metres(street, 25, 3, accuracy).candidates[0].probability for accuracy in (accuracy_m, accuracy_m * worse)
    )
    assert bad <= good + 1e-6


def mass_on(outlines, x, y, sigma):
    """The mass of one Gaussian on each outline."""
    number = len(outlines)
    return gaussian_mass(edges_of(outlines), np.arange(number), np.full((number, 2), (x, y)), np.full(number, sigma))


@settings(max_examples=40, deadline=None)
@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0.3, 20), st.floats(0, 3.2))
def test_the_mass_of_a_turned_rectangle_agrees_with_its_closed_form(x, y, sigma, angle):
    plain = shapely.box(-6, -2, 6, 2)
    outline = shapely.orient_polygons(np.array([shapely.affinity.rotate(plain, angle, (0, 0), use_radians=True)]))
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ (x, y)
    expected = _strip(-6, 6, x, sigma) * _strip(-2, 2, y, sigma)
    assert mass_on(outline, *turned, sigma)[0] == pytest.approx(expected, abs=1e-9)


def test_the_mass_of_a_zone_with_a_hole_lacks_the_hole():
    whole, hole = shapely.box(-6, -4, 6, 4), shapely.box(-1, -1, 1, 1)
    shapes = shapely.orient_polygons(np.array([whole, hole, shapely.difference(whole, hole)]))
    full, inner, ring = mass_on(shapes, 0.5, 0.2, 2.0)
    assert ring == pytest.approx(full - inner, abs=1e-9)
    parts = shapely.MultiPolygon([shapely.box(-6, -4, 0, 4), shapely.box(0, -4, 6, 4).buffer(0)])
    assert mass_on(shapely.orient_polygons(np.array([parts])), 0.5, 0.2, 2.0)[0] == pytest.approx(full, abs=1e-9)


def test_the_plane_measures_metres():
    x, y = Plane(119.95).point(119.95, 31.701)
    assert (x, y - Plane(119.95).point(119.95, 31.7)[1]) == pytest.approx((0, 110.9), abs=0.1)


@pytest.mark.parametrize("town", ["demo", "shared"])
def test_every_zone_of_a_town_owns_its_own_middle(town):
    if town == "shared" and not SHARED.exists():
        pytest.skip("shared/data is not beside the repository")
    whole = json.loads(SHARED.read_text(encoding="utf-8")) if town == "shared" else make_town(7).zones
    features = whole["features"]
    index = ZoneIndex([zone(one["properties"]["zone_id"], shape(one["geometry"])) for one in features])
    for version in index.versions:
        middle = version.outline.representative_point()
        found = index.attribute(lon=middle.x, lat=middle.y, accuracy_m=1, at=NOW)
        assert found.decision in ("certain", "probable"), found
        assert found.candidates[0].zone_id == version.zone_id


def _strip(low, high, centre, sigma):
    return (erf((high - centre) / sigma / sqrt(2)) - erf((low - centre) / sigma / sqrt(2))) / 2
