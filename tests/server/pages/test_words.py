"""Times on pages are readable, whatever a device's clock said."""

from __future__ import annotations

import pytest

from server.pages.words import beijing


@pytest.mark.parametrize(("text", "shown"), [
    ("2026-11-22T01:02:03.456Z", "2026-11-22 09:02:03"), ("0001-01-01T00:00:00Z", "0001-01-01 08:00:00"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"), ("nonsense", "nonsense"), (None, "—")])
def test_a_time_is_shown_in_beijing_time_as_far_as_there_is_one(text, shown):
    assert beijing(text) == shown
