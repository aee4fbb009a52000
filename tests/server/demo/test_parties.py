"""Invented parties: codes that pass both check digits, numbers that cannot be called."""

from itertools import islice
from random import Random

import pytest

from server.demo.parties import contact, credit_code, shop_names

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize(
    ("serial", "kind", "code"),
    # Worked out by a program that is not ours.
    [(1, "2", "92320412YY000001XB"), (2, "2", "92320412YY0000028B"), (3, "2", "92320412YY00000366")],
)
def test_codes_are_those_of_the_standard(serial, kind, code):
    assert credit_code(serial, kind=kind) == code


@pytest.mark.parametrize("kind", ["1", "2"])
def test_codes_pass_both_check_digits(kind):
    for serial in range(0, 1_000_000, 9_973):
        code = credit_code(serial, kind=kind)
        # GB 32100: the weights are the powers of 3 modulo 31; with its check character the whole sum is 0.
        assert sum(ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(code[:17])) % 31 == (
            -ALPHABET.index(code[17]) % 31
        )
        # GB 11714: weights modulo 11, with the ninth character as X for 10.
        values = [int(char, 36) for char in code[8:16]]
        total = sum(value * weight for value, weight in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        assert (total + (10 if code[16] == "X" else int(code[16]))) % 11 == 0
        assert code.startswith(f"9{kind}320412YY")
        assert len(code) == 18


def test_numbers_cannot_be_called():
    assert contact(7) == "10000000007"


def test_shop_names_never_repeat_and_name_their_trade():
    shops = list(islice(shop_names(Random(5)), 1_000))
    assert len({name for name, _ in shops}) == 1_000
    assert all(name.endswith(trade) for name, trade in shops)
