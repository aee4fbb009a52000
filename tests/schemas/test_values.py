"""Values that fields carry: what is taken and what is not."""

import pytest
from marshmallow import ValidationError

from schemas.values import Amount, Position, is_day_or_time


@pytest.mark.parametrize("amount", [0, 50, 99.5, "50", "50.00"])
def test_an_amount_is_yuan_as_a_number_or_as_its_text(amount):
    assert Amount().deserialize(amount) == amount


@pytest.mark.parametrize("amount", [-5, "abc", "-5", "1e3", True, float("nan"), 1e300, [5], "5.123"])
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(ValidationError):
        Amount().deserialize(amount)


@pytest.mark.parametrize("accuracy", [1e9, -1, float("inf"), "8"])
def test_an_accuracy_out_of_range_is_told_the_range(accuracy):
    with pytest.raises(ValidationError, match="accuracy_m must be metres from 0 to 10,000,000"):
        Position().deserialize({"lon": 119.9, "lat": 31.7, "crs": "EPSG:4490", "accuracy_m": accuracy})


@pytest.mark.parametrize(("text", "is_one"), [
    ("2026-12-01", True), ("2026-12-01T08:00:00+08:00", True), ("2026-13-01", False), ("bad-date", False), (5, False)])
def test_a_date_is_a_day_or_a_time(text, is_one):
    assert is_day_or_time(text) is is_one
