"""Times on pages are readable, whatever a device's clock said, and so is how far it is off."""

from __future__ import annotations

import pytest
from flask import Flask

from server.pages.words import beijing, clock_said


@pytest.mark.parametrize(("text", "shown"), [
    ("2026-11-22T01:02:03.456Z", "2026-11-22 09:02:03"), ("0001-01-01T00:00:00Z", "0001-01-01 08:00:00"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"), ("nonsense", "nonsense"), (None, "—")])
def test_a_time_is_shown_in_beijing_time_as_far_as_there_is_one(text, shown):
    assert beijing(text) == shown


@pytest.mark.parametrize(("offset_ms", "chinese", "english"), [
    (-172_800_000, "慢 2 天", "2 days slow"), (180_000, "快 3 分", "3 min fast"),
    (-90_500, "慢 90.5 秒", "90.5 s slow"), (119_000, "快 119 秒", "119 s fast"),
    (9_000_000, "快 2.5 小时", "2.5 h fast"), (-40, "准", "right"),
    (0, "准", "right")])
def test_a_clock_is_off_by_so_much_in_words(offset_ms, chinese, english):
    with Flask("words").test_request_context():
        assert f">{chinese}<" in clock_said(offset_ms) and f">{english}<" in clock_said(offset_ms)
