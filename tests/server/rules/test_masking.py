"""Identity and phone numbers are masked; what only looks like one stays."""

import pytest

from server.rules.masking import displayed, displayed_text, masked, masked_text, meant


@pytest.mark.parametrize(("text", "expected"), [
    ("身份证320411199003071234,", "身份证320***********1234,"),
    ("32041119900307123X", "320***********123X"),
    ("电话13812345678。", "电话138****5678。"),
    ("138 1234 5678 / 139-1234-5678", "138****5678 / 139****5678"),
    ("+86 13812345678", "+86 138****5678"),
    ("8613812345678", "86138****5678"),
    ("+8613912345678。", "+86139****5678。"),
    ("１３８１２３４５６７８", "138****5678"),
    ("138\u00a01234\u200b5678", "138****5678"),
    ("９１１１０１０５１９４９１２３１００２Ｘ", "９１１１０１０５１９４９１２３１００２Ｘ"),  # 20 signs
    ("１１０１０５１９４９１２３１００２Ｘ", "110***********002X"),
    ("ID11010519491231002X号", "ID110***********002X号"),
    ("11010519491231002Xabc", "110***********002Xabc"),
    ("a110105194912310021f", "a110105194912310021f"),  # in a word, and its check is wrong
    ("110105 19491231 002X,110105-19491231-002x", "110***********002X,110***********002x"),
    ("18610519491231002X", "186***********002X"),
    ("320412100101012", "320412100101012"),  # a grid
    ("0519-86512345", "0519-****2345"),
    ("02161234567", "021-****4567"),
    ("320411199013071234", "320411199013071234"),  # no month 13
    ("91320412MA1234567X", "91320412MA1234567X"),  # a business's code is public
    ("a13812345678b", "a13812345678b"),
    ("3f13812345678" * 5, "3f13812345678" * 5),
    ("119.13812345678", "119.13812345678"),
    ("2026-11-27T01:02:03.000Z", "2026-11-27T01:02:03.000Z"),
    ("01a21b40-37db-71ed-8490-138123456781", "01a21b40-37db-71ed-8490-138123456781"),
    ("武城管责改〔2026〕1号", "武城管责改〔2026〕1号"),
])
def test_numbers_of_people_are_masked_and_others_are_not(text, expected):
    assert masked_text(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("11010519491231002X", "110105********002X"), ("电话13812345678", "电话138****5678"),
    ("91320412MA1234567X", "91320412MA1234567X")])
def test_pages_show_six_and_four_digits_of_an_identity_number(text, expected):
    assert displayed_text(text) == expected and displayed({"a": [text]}) == {"a": [expected]}


def test_what_was_shown_masked_is_meant_as_it_was():
    before = "店主13812345678"
    assert meant("店主138****5678", before) == before and meant("店主", before) == "店主"
    assert meant("a****b", "别的") == "a****b"
    with pytest.raises(ValueError, match="in full"):
        meant("店主已搬走,138****5678", before)


def test_texts_are_masked_wherever_they_stand():
    value = {"a": ["13812345678", 13812345678, None], "b": {"c": "x13812345678"}}
    assert masked(value) == {"a": ["138****5678", 13812345678, None], "b": {"c": "x13812345678"}}
