"""Where a track puts somebody at a moment, and how sure that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.positions import distance_m
from schemas.values import stamp
from server.reference import settings
from server.rules.crs import from_4490
from server.rules.tracks import Timeline, moved, too_far, whereabouts
from tests.bureau import east_north

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
HERE = (119.95, 31.71)
FIGURES = settings("tracks")


def point(seconds, east_m=0.0, accuracy_m=5.0, crs="EPSG:4490", **more):
    lon, lat = from_4490(*east_north(*HERE, east_m, 0), crs)
    return {"id": f"p{seconds}", "at": stamp(NOON + timedelta(seconds=seconds)), "lon": lon, "lat": lat, "crs": crs,
            "accuracy_m": accuracy_m, **more}


def off_m(place, east_m=0.0):
    return distance_m(place.lon, place.lat, *east_north(*HERE, east_m, 0))


@pytest.mark.parametrize(("points", "east_m", "uncertainty_m"), [
    ((point(-30), point(30, 60)), 30, 5 + 1.5 * 30),
    ((point(-30, accuracy_m=9), point(90, 400)), 100, 9 + 400 / 120 * 30),
    ((point(0, 7), point(300)), 7, 5),
    ((point(-100, 3),), 3, 5 + 150),
    ((point(60, accuracy_m=None),), 0, 25 + 90),
    ((point(-60, 10), point(3000, 50)), 10, 5 + 90),
])
def test_between_two_points_he_went_straight_and_astray_by_his_pace(points, east_m, uncertainty_m):
    place = whereabouts(points, NOON, FIGURES)
    assert off_m(place, east_m) < 1
    assert place.uncertainty_m == pytest.approx(uncertainty_m, rel=0.01)


@pytest.mark.parametrize("points", [(), (point(-121),), (point(-400), point(400)), (None, point(500))])
def test_points_too_far_away_in_time_say_nothing(points):
    assert whereabouts(points, NOON, FIGURES) is None


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09"])
def test_places_are_compared_in_one_system(crs):
    assert off_m(whereabouts([point(0, crs=crs)], NOON, FIGURES)) < 0.1


def test_of_several_tracks_the_nearest_points_count():
    assert off_m(whereabouts([point(-90, 900), point(-10, 20), point(10, 20), point(80, 800)], NOON, FIGURES), 20) < 1


def test_a_conflict_says_which_two_with_figures_and_no_place_of_the_track():
    track = whereabouts([point(-30), point(30)], NOON, FIGURES)
    lon, lat = east_north(*HERE, 5 + 45 + 50 + 8 - 1, 0)
    assert too_far("device", lon, lat, 8, track, NOON, FIGURES) is None
    lon, lat = east_north(*HERE, 5 + 45 + 50 + 8 + 1, 0)
    found = too_far("device", lon, lat, 8, track, NOON, FIGURES)
    assert found == {"rule": "device and track more than accuracies + 50 m apart", "between": ["device", "track"],
                     "distance_m": pytest.approx(109, abs=0.5), "accuracy_m": 8, "uncertainty_m": 50.0,
                     "before_s": 30.0, "after_s": 30.0}


def test_a_timeline_orders_what_comes_in_any_order_and_forgets_what_was_undone():
    points = [point(50), point(-50), {"id": "x", "at": None}, {**point(1), "crs": None}]
    timeline = Timeline().learn(points)
    before, after = timeline.around(stamp(NOON), points)
    assert (before["id"], after["id"]) == ("p-50", "p50")
    timeline.learn([*points, point(-5)])
    other = [*points, point(-7)]
    assert timeline.learn(other).around(stamp(NOON), other)[0]["id"] == "p-7"
    assert timeline.learn(points[:1]).around(stamp(NOON), points)[0] is None
    assert Timeline().learn([]).around(stamp(NOON), []) == (None, None)


def test_a_clock_at_the_end_of_the_calendar_moves_no_further():
    last = datetime.max.replace(tzinfo=UTC)
    assert moved(last, timedelta(days=1)) == last and moved(NOON, timedelta(days=1)) > NOON
