"""What a photo's claims say against it, held against its record, its scope, its file and its receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.reference import settings, table
from server.rules.photos import Claim, far_from_record, late, like_a_screenshot, outside_scope
from server.rules.zones import Box
from tests.bureau import east_north

FIGURES = settings("photos")
RECEIVED = datetime(2026, 11, 22, 4, tzinfo=UTC)
HERE = (119.95, 31.71)


def ago(hours):
    return RECEIVED - timedelta(hours=hours)


@pytest.mark.parametrize(("times", "beacon", "clocks"), [
    ({"device": 71.9}, None, None), ({"device": 72.1}, None, ["device"]), ({"device": -5}, None, None),
    ({"device": 100, "file": 100}, 110, ["device", "file"]), ({"device": 1, "file": 100}, None, None),
    ({"device": 100, "file": 100, "gps": 100}, None, ["device", "file", "gps"]),
    ({"device": 100, "file": 100, "gps": 1}, None, None), ({"device": 1, "gps": 100}, 200, None),
    ({"device": 100}, 90, None), ({}, None, None)])
def test_a_photo_is_late_by_the_clocks_that_say_so(times, beacon, clocks):
    found = late({name: ago(hours) for name, hours in times.items()}, None if beacon is None else ago(beacon),
                 RECEIVED, FIGURES)
    assert (found and found["clocks"]) == clocks
    if found:
        assert found.get("bracket_h") == beacon
        assert {name: found[f"{name}_h"] for name in clocks} == {name: times[name] for name in clocks}
        alone = beacon is None and "gps" not in clocks
        assert ("no beacon and no satellite bears that out" in found["rule"]) == alone


def media(kind, width, height, **exif):
    return {"media_type": f"image/{kind}", "width": width, "height": height, "exif": exif}


@pytest.mark.parametrize(("kind", "width", "height"), [
    ("png", 1080, 2400), ("png", 2400, 1080), ("png", 1170, 2532), ("jpeg", 1170, 2532), ("webp", 1290, 2796),
    ("png", 1366, 768), ("jpeg", 1220, 2712)])
def test_the_size_of_a_screen_without_a_camera_looks_like_a_screenshot(kind, width, height):
    found = like_a_screenshot(media(kind, width, height, software="Android"), table("screens"))
    assert (found["width"], found["height"]) == (width, height) and found["screens"]
    assert like_a_screenshot(media(kind, width, height, model="BVL-AN00"), table("screens")) is None


@pytest.mark.parametrize(("kind", "width", "height"), [
    ("jpeg", 1080, 2400), ("webp", 1080, 2340), ("jpeg", 4000, 3000), ("jpeg", 1440, 1080), ("jpeg", 1920, 1080),
    ("png", 1920, 1080), ("png", 1280, 720), ("png", 1080, 1440), ("png", 640, 480), ("jpeg", 1440, 3200)])
def test_what_a_stripped_photo_or_a_browsers_camera_would_be_does_not(kind, width, height):
    assert like_a_screenshot(media(kind, width, height), table("screens")) is None


def test_a_file_that_was_not_checked_looks_like_nothing():
    assert like_a_screenshot({"state": "expected"}, table("screens")) is None


@pytest.mark.parametrize(("apart_m", "found"), [(0, False), (229, False), (232, True), (1_000_000, True)])
def test_a_photo_may_lie_as_far_from_its_record_as_accuracies_and_limit_allow(apart_m, found):
    detail = far_from_record("device", Claim(*east_north(*HERE, 0, apart_m), 10), Claim(*HERE, 20), FIGURES)
    assert (detail is not None) == found
    if detail:
        assert detail["between"] == ["device", "about"] and detail["about_accuracy_m"] == 20
        assert detail["distance_m"] == pytest.approx(apart_m, rel=0.01) and "lon" not in detail


@pytest.mark.parametrize(("east_m", "found"), [(500, False), (5_900, False), (6_100, True), (-5_100, True)])
def test_a_photo_may_lie_outside_the_zones_of_its_street_but_not_far(east_m, found):
    box = Box(*HERE, *east_north(*HERE, 1000, 1000))
    detail = outside_scope("file", Claim(*east_north(*HERE, east_m, 500), 0), "320412100", box, FIGURES)
    assert (detail is not None) == found
    if detail:
        assert detail["between"] == ["file", "scope"] and "320412100" in detail["rule"]
