"""Facts of a photo survive their way through JSON, so that late evidence is flagged like early evidence."""

from datetime import UTC, datetime

import orjson

from media.exif import ExifReading, LonLat
from media.facts import facts_of, flags_from
from media.flags import file_flags
from media.pictures import Picture

PICTURE = Picture("image/jpeg", 4000, 3000, 6, 2, 29, None, c2pa=True)
READING = ExifReading(make="Made", software="Adobe Photoshop", orientation=6, assumed_offset=True,
                      taken_at=datetime(2026, 11, 22, 1, 2, 3, 500_000, tzinfo=UTC), position=LonLat(119.97, 31.81),
                      problems=["GPSTimeStamp: not a time of day"])
EVIDENCE = {"captured_at": "2026-11-22T03:00:00.000Z", "bracket": {"not_before": None,
                                                                  "not_after": "2026-11-22T04:00:00.000Z"},
            "position": {"accuracy_m": 5, "normalized": {"lon": 119.98, "lat": 31.81}}}


def test_what_is_not_known_is_left_out():
    assert facts_of(Picture("image/png", 1, 1), ExifReading()) == {
        "media_type": "image/png", "width": 1, "height": 1, "frames": 1, "trailing_bytes": 0, "exif": {}}


def test_times_and_places_are_written_as_on_the_wire():
    exif = facts_of(PICTURE, READING)["exif"]
    assert exif["taken_at"] == "2026-11-22T01:02:03.500Z"
    assert facts_of(PICTURE, READING)["c2pa"] is True
    assert exif["position"] == {"lon": 119.97, "lat": 31.81}


def test_flags_from_facts_are_those_from_the_file():
    found = orjson.loads(orjson.dumps(facts_of(PICTURE, READING)))
    flags = flags_from(found, EVIDENCE)
    assert {flag["code"] for flag in flags} == {"time_conflict", "place_conflict", "exif_invalid", "trailing_data",
                                               "edited_software"}
    assert [flag for flag in flags if flag in file_flags(READING, PICTURE)] == file_flags(READING, PICTURE)


def test_a_photo_without_claims_has_no_flags():
    assert flags_from(facts_of(Picture("image/png", 1, 1), ExifReading()), EVIDENCE) == []
