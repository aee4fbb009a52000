"""Identity numbers: sound ones pass, others warn, masks hide."""

from datetime import date

import pytest

from server.rules.identity import birth_date, id_card_warnings, mask_id, mask_name, mask_phone, uscc_warnings


@pytest.mark.parametrize(
    "code",
    [
        "92320402MA1ABCDE8E",
        "92320404MA1ABCDE8B",
        "92320411MA1ABCDE8F",
        "92320412MA1ABCDE8X",
        "92320585MA1ABCDE8T",
        "92410402MA1ABCDE81",
    ],
)
def test_sound_codes_pass_both_checks(code):
    assert uscc_warnings(code) == []


@pytest.mark.parametrize(
    ("code", "warnings"),
    [
        ("92320402MA1ABCDE8F", ["uscc_check"]),
        ("92320402MA1ABCDE9E", ["uscc_check", "organisation_check"]),
        ("92320402MA1ABCDO8E", ["uscc_shape"]),
        ("92320402ma1abcde8e", ["uscc_shape"]),
        ("320402600123456", ["uscc_old_licence"]),
        ("", ["uscc_shape"]),
        ("９２320402MA1ABCDE8E", ["uscc_shape"]),
    ],
)
def test_what_is_unusual_is_a_warning(code, warnings):
    assert uscc_warnings(code) == warnings


@pytest.mark.parametrize(
    ("number", "warnings"),
    [
        ("11010519491231002X", []),
        ("11010519491231002x", []),
        ("110105194912310021", ["id_check"]),
        ("11010519490231002X", ["id_birth_date", "id_check"]),
        ("110105", ["id_shape"]),
        ("１1010519491231002X", ["id_shape"]),
    ],
)
def test_id_cards_are_checked_without_judging_the_place(number, warnings):
    assert id_card_warnings(number) == warnings


def test_the_birth_date_is_read():
    assert birth_date("11010519491231002X") == date(1949, 12, 31)
    assert birth_date("1") is None


def test_masks_keep_only_the_ends():
    assert mask_id("11010519491231002X") == "110105****002X"
    assert mask_phone("13800001234") == "138****1234"
    assert mask_name("欧阳某某") == "欧***"
    assert mask_id("12345") == mask_phone("12345") == "****"
    assert mask_name("") == ""
