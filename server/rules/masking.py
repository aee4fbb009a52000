"""Identity and phone numbers in texts, masked so that who knows them recognises them and nobody else learns them.

Pure. Shapes: GB 11643-1999 (identity number: 6 digits of division, 8 of birth, 3 of order, 1 of check), mobile numbers
of 11 digits from 13 to 19, also behind 86, fixed lines with their trunk prefix; in half or full width, and parted by
blanks or hyphens. A number inside a longer word, as a digest, is none, but for an identity number whose check is right.
Numbers of 15 digits, which are invalid since 2013, are left: codes of grids look like them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match
from typing import Any

# What people type for the same sign: full width for half width, any blank or hyphen between digits. Each stands for one
# sign, so that what is found in the plain text is hidden in the text itself at the same place.
PLAIN = {0xFF10 + digit: str(digit) for digit in range(10)} | {ord("Ｘ"): "X", ord("ｘ"): "x", ord("＋"): "+"} \
    | {ord(sign): " " for sign in "\u00a0\u2002\u2003\u2009\u200b\u200c\u200d\u202f\u2060\u3000"} \
    | {ord(sign): "-" for sign in "－‐‑–"}
TO_BE_READ = re.compile(f"[{''.join(map(chr, PLAIN))}]")
# A pattern begins with what is rare and looks back from there: whole pages are masked, in a few milliseconds.
BIRTHDAY_ON = r"(\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))([ -]?)(\d{3}[\dXx])(?!\d)"
FROM_BIRTH = tuple(
    re.compile(rf"{century}(?:(?<=(?<!\d)\d{{6}}{century})|(?<=(?<!\d)\d{{6}}[ -]{century}))" + BIRTHDAY_ON)
    for century in (18, 19, 20))
MOBILE = re.compile(r"1(?:(?<![0-9A-Za-z.]1)|(?<=(?<![0-9A-Za-z.])861))([3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?![0-9A-Za-z])")
FIXED = re.compile(r"0(?<![0-9A-Za-z.-]0)(10|2\d|[3-9]\d\d)-?\d{3,4}(\d{4})(?![0-9A-Za-z-])")
MASK = "****"
WEIGHTS, CHECKS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"  # GB 11643-1999, 6 (ISO 7064)


def masked_text(text: str) -> str:
    """The text with `320***********123X` for an identity number, `138****1234` and `0519-****1234` for phones."""
    return _hidden(text, division_shown=3)


def displayed_text(text: str) -> str:
    """The text as pages and logs have it: `320411********123X` for an identity number (6 and 4 digits), phones as
    `masked_text`."""
    return _hidden(text, division_shown=6)


def meant(typed: str, before: str) -> str:
    """What somebody means who was shown a text with its numbers masked, and typed this one: the text itself where he
    left it. Raises ValueError for a masked number within another text, for nobody can know what it stands for."""
    shown = displayed_text(before)
    if typed == shown:
        return before
    if shown != before and MASK in typed and MASK not in before:
        raise ValueError("a number that was masked must be given in full")
    return typed


def _hidden(text: str, division_shown: int) -> str:
    """The text without its numbers; of an identity number the first digits of the division stay, and the last four."""
    plain = text.translate(PLAIN) if TO_BE_READ.search(text) else text
    spans: list[tuple[int, int, str]] = []
    for pattern in FROM_BIRTH:
        for found in pattern.finditer(plain):
            parted = plain[found.start() - 1] in " -"
            begins = found.start() - 6 - parted
            if _is_identity(plain, begins, found):
                shown = plain[begins:begins + division_shown]
                spans.append((begins, found.end(), f"{shown}{'*' * (14 - division_shown)}{found[3]}"))
    spans += [(found.start(), found.end(), f"1{found[1]}{MASK}{found[2]}") for found in MOBILE.finditer(plain)]
    spans += [(found.start(), found.end(), f"0{found[1]}-{MASK}{found[2]}") for found in FIXED.finditer(plain)]
    return _replaced(text, sorted(spans)) if spans else text


def _is_identity(plain: str, begins: int, found: Match[str]) -> bool:
    """By itself its shape is enough; within a word, as of a digest, its check must be right."""
    around = plain[begins - 1:begins] + plain[found.end():found.end() + 1]
    if not any(sign.isascii() and sign.isalpha() for sign in around):
        return True
    digits = "".join(sign for sign in plain[begins:found.end()] if sign not in " -")
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=False))
    return CHECKS[total % 11] == digits[-1].upper()


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for begins, ends, shown in spans:
        if begins >= at:  # what lies within another was hidden with it
            parts += [text[at:begins], shown]
            at = ends
    return "".join([*parts, text[at:]])


def masked(value: Any) -> Any:
    """A JSON value whose texts are masked; the same object where there is nothing to mask."""
    return _each(value, masked_text)


def displayed(value: Any) -> Any:
    """A JSON value whose texts are as pages have them; the same object where there is nothing to mask."""
    return _each(value, displayed_text)


def _each(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        hidden = hide(value)
        return value if hidden == value else hidden
    if isinstance(value, dict):
        return {name: _each(part, hide) for name, part in value.items()}
    return [_each(part, hide) for part in value] if isinstance(value, list) else value
