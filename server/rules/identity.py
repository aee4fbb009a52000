"""Numbers that name a party or a person: unified social credit codes, ID cards, and their masks (domain.md 17.4).

A failed check is a warning, never a refusal: early pilot codes fail the check digit and are lawful, and abolished
division codes live on in ID numbers. Serves zone imports, enforcement records and every page that shows a person.
"""

from __future__ import annotations

import re
from datetime import date

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
ID_CHECKS = "10X98765432"
STARS = "****"


def uscc_warnings(code: str) -> list[str]:
    """What is unusual about a unified social credit code: uscc_shape, uscc_check, organisation_check; empty when sound.

    A 15-digit number is an old licence number and gives `uscc_old_licence`.
    """
    if re.fullmatch(r"[0-9]{15}", code):
        return ["uscc_old_licence"]
    if len(code) != 18 or any(letter not in USCC_ALPHABET for letter in code):
        return ["uscc_shape"]
    warnings = []
    total = sum(weight * USCC_ALPHABET.index(letter) for weight, letter in zip(USCC_WEIGHTS, code[:17], strict=True))
    if USCC_ALPHABET[(31 - total % 31) % 31] != code[17]:
        warnings.append("uscc_check")
    if _organisation_check(code[8:16]) != code[16]:
        warnings.append("organisation_check")
    return warnings


def id_card_warnings(number: str) -> list[str]:
    """What is unusual about an ID card number: id_shape, id_birth_date, id_check; the place prefix is never judged."""
    number = number.upper()
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return ["id_shape"]
    warnings = []
    if birth_date(number) is None:
        warnings.append("id_birth_date")
    total = sum(weight * int(digit) for weight, digit in zip(ID_WEIGHTS, number[:17], strict=True))
    if ID_CHECKS[total % 11] != number[17]:
        warnings.append("id_check")
    return warnings


def birth_date(number: str) -> date | None:
    """The birth date in an ID card number, or None where its digits are no date."""
    digits = number[6:14]
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def mask_id(number: str) -> str:
    """6 + **** + 4; a number too short for that is hidden whole."""
    return number[:6] + STARS + number[-4:] if len(number) > 10 else STARS


def mask_phone(number: str) -> str:
    """3 + **** + 4; a number too short for that is hidden whole."""
    return number[:3] + STARS + number[-4:] if len(number) > 7 else STARS


def mask_name(name: str) -> str:
    """The first character, then one star for each of the rest."""
    return name[:1] + "*" * (len(name) - 1)


def _organisation_check(body: str) -> str:
    """Check digit of an organisation code over its 8 characters (letters from A = 10), modulo 11: 10 is X, 11 is 0."""
    values = [int(letter, 36) for letter in body]
    check = 11 - sum(weight * value for weight, value in zip(ORGANISATION_WEIGHTS, values, strict=True)) % 11
    return {10: "X", 11: "0"}.get(check, str(check))
