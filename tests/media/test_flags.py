"""When the claims of device, file and server do not agree."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from media.exif import ExifReading, LonLat
from media.flags import Tolerances, file_flags, place_flags, time_flags
from media.pictures import Picture

TOLERANCES = Tolerances(clock_ahead_s=300, clock_behind_s=0, exif_s=600, gps_s=900, place_m=50)
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
BRACKET = {"not_before": "2026-11-22T01:12:00.000Z", "not_after": "2026-11-22T05:40:00.000Z"}
EVIDENCE = {"captured_at": "2026-11-22T04:00:00.000Z",
            "position": {"lon": 119.97, "lat": 31.81, "crs": "EPSG:4490", "accuracy_m": 8.0,
                         "normalized": {"lon": 119.97, "lat": 31.81}}}


def codes(flags):
    json.dumps(flags)  # they go into a record
    assert all(flag["detail"]["rule"] for flag in flags)
    return [flag["code"] for flag in flags]


def at(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(("captured", "file", "gps", "expected"), [
    (0, None, None, []), (0, 1, -1, []), (0, 10, None, []), (0, 10.1, None, ["time_conflict"]),
    (0, None, 15, []), (0, None, -15.1, ["time_conflict"]), (0, 8, -8, ["time_conflict"]),
    (104, None, None, []), (105.1, None, None, ["clock_suspect"]), (-168, None, None, []),
    (-168.1, None, None, ["clock_suspect"]), (0, 60 * 24 * 365, None, ["time_conflict"]),
    (60 * 24, 60 * 24, None, ["clock_suspect", "time_conflict"]),
    (-180, 0, 0, ["clock_suspect", "time_conflict"]),
])
def test_times_are_held_against_each_other_and_the_bracket(captured, file, gps, expected):
    evidence = {"captured_at": at(captured).isoformat()}
    reading = ExifReading(taken_at=None if file is None else at(file), gps_at=None if gps is None else at(gps))
    assert codes(time_flags(evidence, reading, BRACKET, TOLERANCES)) == expected


def test_a_time_conflict_shows_all_times_and_what_was_assumed():
    reading = ExifReading(taken_at=at(-60), gps_at=at(1), assumed_offset=True)
    [flag] = time_flags(EVIDENCE, reading, BRACKET, TOLERANCES)
    assert flag["detail"] == {
        "rule": "device and file 3600 s apart, at most 600; file and gps 3660 s apart, at most 900",
        "assumed_offset": True, "device": "2026-11-22T04:00:00.000Z", "file": "2026-11-22T03:00:00.000Z",
        "gps": "2026-11-22T04:01:00.000Z",
        **BRACKET}


def test_without_a_beacon_only_the_receipt_bounds():
    bracket = {"not_before": None, "not_after": BRACKET["not_after"]}
    assert time_flags({"captured_at": "1999-01-01T00:00:00Z"}, ExifReading(), bracket, TOLERANCES) == []


def test_the_tolerances_are_the_callers():
    reading = ExifReading(taken_at=at(20))
    assert codes(time_flags(EVIDENCE, reading, BRACKET, TOLERANCES)) == ["time_conflict"]
    assert time_flags(EVIDENCE, reading, BRACKET, replace(TOLERANCES, exif_s=1800)) == []


@pytest.mark.parametrize(("north_m", "expected"), [(0, []), (57, []), (59, ["place_conflict"]),
                                                   (5000, ["place_conflict"])])
def test_places_may_differ_by_accuracy_and_tolerance(north_m, expected):
    reading = ExifReading(position=LonLat(119.97, 31.81 + north_m / 111_195))
    assert codes(place_flags(EVIDENCE, reading, TOLERANCES)) == expected


def test_a_place_conflict_shows_both_places_and_their_distance():
    [flag] = place_flags(EVIDENCE, ExifReading(position=LonLat(119.97, 31.82)), TOLERANCES)
    assert flag["detail"]["distance_m"] == pytest.approx(1112, abs=3)
    assert flag["detail"]["file"] == {"lon": 119.97, "lat": 31.82}
    assert flag["detail"]["device"] == {"lon": 119.97, "lat": 31.81}
    assert flag["detail"]["accuracy_m"] == 8


@pytest.mark.parametrize("evidence", [{}, {"position": None}, {"position": {"lon": 1, "lat": 1, "crs": "EPSG:4490"}}])
def test_without_a_place_of_the_device_nothing_can_conflict(evidence):
    assert place_flags(evidence, ExifReading(position=LonLat(1, 1)), TOLERANCES) == []


def test_a_whole_camera_original_has_no_file_flag():
    assert file_flags(ExifReading(software="HarmonyOS 4.2"), Picture("image/jpeg", 10, 10)) == []


def test_problems_trailers_and_editors_are_flagged():
    reading = ExifReading(software="Adobe Photoshop 21.0 (Windows)", problems=["GPS: not a place on the earth"])
    flags = file_flags(reading, Picture("image/jpeg", 10, 10, trailing_bytes=964))
    assert codes(flags) == ["exif_invalid", "trailing_data", "edited_software"]
    assert flags[0]["detail"]["problems"] == ["GPS: not a place on the earth"]
    assert flags[1]["detail"]["bytes"] == 964
    assert flags[2]["detail"]["software"] == "Adobe Photoshop 21.0 (Windows)"


@pytest.mark.parametrize("media_type", ["image/png", "image/webp", "image/avif"])
def test_an_animation_is_flagged_and_two_views_of_a_telephone_are_not(media_type):
    [flag] = file_flags(ExifReading(), Picture(media_type, 10, 10, frames=3))
    assert codes([flag]) == ["animated"] and flag["detail"]["frames"] == 3
    assert file_flags(ExifReading(), Picture("image/jpeg", 10, 10, frames=3)) == []


def test_content_credentials_are_no_flag_and_take_none_away():
    credentials = Picture("image/jpeg", 10, 10, c2pa=True)
    assert file_flags(ExifReading(), credentials) == []
    assert codes(file_flags(ExifReading(software="Adobe Photoshop"), credentials)) == ["edited_software"]


def test_a_beacon_that_this_journal_never_had_makes_the_clock_suspect():
    bracket = {"not_before": None, "not_after": BRACKET["not_after"]}
    [flag] = time_flags({**EVIDENCE, "capture": {"beacon": "ab" * 32}}, ExifReading(), bracket, TOLERANCES)
    assert codes([flag]) == ["clock_suspect"] and flag["detail"]["rule"] == "beacon is no checkpoint of this journal"
    assert time_flags({**EVIDENCE, "capture": {"beacon": "ab" * 32}}, ExifReading(), BRACKET, TOLERANCES) == []
    assert time_flags({**EVIDENCE, "capture": {"beacon": None}}, ExifReading(), bracket, TOLERANCES) == []


@pytest.mark.parametrize("year", ["0001", "1970", "2100", "9999"])
def test_a_year_of_no_camera_makes_the_clock_suspect(year):
    bracket = {"not_before": None, "not_after": f"{year}-06-01T00:00:00.000Z"}
    [flag] = time_flags({"captured_at": f"{year}-01-01T00:00:00Z"}, ExifReading(), bracket, TOLERANCES)
    assert codes([flag]) == ["clock_suspect"] and flag["detail"]["rule"] == f"device in the year {int(year)}"


@pytest.mark.parametrize("software", ["GIMP 2.6.11", "美图秀秀", "Snapseed 2.0", "Adobe Bridge CS5", "picsart"])
def test_editors_are_known_by_their_signature(software):
    assert codes(file_flags(ExifReading(software=software), Picture("image/jpeg"))) == ["edited_software"]


@pytest.mark.parametrize("software", ["11.4.1", "QuickTime 7.7.1", "J327T1UVS4ASH2", "MX-2900ZOOM Ver1.00", None])
def test_a_cameras_own_software_is_no_editor(software):
    assert file_flags(ExifReading(software=software), Picture("image/jpeg")) == []
