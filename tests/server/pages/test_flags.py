"""Every rule that a flag can name is said in Chinese with English beside it."""

from __future__ import annotations

import pytest

from media.capture import check_signature
from media.exif import ExifReading
from media.flags import Tolerances, size_flags, time_flags
from server import create_app
from server.config import Settings
from server.pages.flags import rule_said

TOLERANCES = Tolerances(exif_s=60, gps_s=60, clock_behind_s=60, clock_ahead_s=60, place_m=50)
EVIDENCE = {"captured_at": "2026-11-22T01:00:00.000Z", "sha256": "0" * 64, "bytes": 1, "position": {
    "lon": 119.9, "lat": 31.7, "crs": "EPSG:4490", "accuracy_m": 5, "normalized": {"lon": 119.9, "lat": 31.7}}}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flags")
    return create_app(Settings.from_environment({"MENQIAN_DATA": str(folder), "MENQIAN_LOG_LEVEL": "error"}))


def is_chinese(text):
    return any("一" <= letter <= "鿿" for letter in text)


@pytest.mark.parametrize("rule", [
    "device and file 95 s apart, at most 60", "gps before the beacon", "device after the receipt",
    "device and gps 86400 s apart, at most 1e+06; file after the receipt",
    "file and device more than accuracy + 50 m apart", "unreadable or impossible metadata",
    "bytes behind the end of the picture", "Software names photoshop", "another size than declared at capture",
    "more than one frame, of which the first is looked at", "beacon is no checkpoint of this journal",
    "device and record more than accuracies + 200 m apart", "the device says that its position is mocked",
    "file more than accuracy + 5000 m outside the zones of 320412100", "the size of a screen, and no camera is named",
    "device more than 72 h before the receipt; no beacon and no satellite bears that out",
    "device in the year 1; beacon is no checkpoint of this journal", "no key", "no capture", "no entry",
    "wrong signature", "no signature", "two entries with one seq", "seq missing", "prev does not match",
    "same digest about another record"])
def test_a_rule_is_said_in_chinese_with_english_beside_it(app, rule):
    with app.test_request_context():
        said = rule_said(rule)
    assert is_chinese(said) and rule in said.unescape()


def test_what_the_checks_really_say_is_known(app):
    flags = [*size_flags(EVIDENCE, 2), *check_signature(None, "d", None, EVIDENCE, "r"),
             *check_signature({"kty": "EC"}, "d", {}, EVIDENCE, "r"),
             *time_flags(EVIDENCE, ExifReading(), {"not_before": "2026-11-22T03:00:00.000Z",
                                                   "not_after": "2026-11-22T04:00:00.000Z"}, TOLERANCES)]
    assert len(flags) == 4
    with app.test_request_context():
        assert all(is_chinese(rule_said(flag["detail"]["rule"])) for flag in flags)


def test_an_unknown_rule_stays_as_it_is(app):
    with app.test_request_context():
        assert "something new; no key" in rule_said("something new; no key")
