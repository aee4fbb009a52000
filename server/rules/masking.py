"""Identity and phone numbers in texts, masked so that who knows them recognises them and nobody else learns them.

Pure. Shapes: GB 11643-1999 (identity number: 6 digits of division, 8 of birth, 3 of order, 1 of check), mobile numbers
of 11 digits from 13 to 19, fixed lines with their trunk prefix. A number inside a longer word, as a digest, is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# A pattern begins with what is rare and looks back from there: whole pages are masked, in a few milliseconds.
BIRTHDAY_ON = r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(\d{3}[\dXx])(?![0-9A-Za-z])"
IDENTITY = re.compile(r"(?<![0-9A-Za-z])(\d{3})\d{3}(?:18|19|20)" + BIRTHDAY_ON)
FROM_BIRTH = tuple(re.compile(rf"{century}(?<=(?<![0-9A-Za-z])\d{{6}}{century})" + BIRTHDAY_ON) for century in (19, 20))
MOBILE = re.compile(r"1(?<![0-9A-Za-z.]1)([3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?![0-9A-Za-z])")
FIXED = re.compile(r"0(?<![0-9A-Za-z.-]0)(10|2\d|[3-9]\d\d)-?\d{3,4}(\d{4})(?![0-9A-Za-z-])")
MASK = "****"


def masked_text(text: str) -> str:
    """The text with `320***********123X` for an identity number, `138****1234` and `0519-****1234` for phones."""
    return _phones_masked(IDENTITY.sub(r"\1***********\2", text))


def displayed_text(text: str) -> str:
    """The text as pages and logs have it: `320411********123X` for an identity number (6 and 4 digits), phones as
    `masked_text`."""
    for pattern in FROM_BIRTH:
        text = pattern.sub(r"********\1", text)
    return _phones_masked(text)


def meant(typed: str, before: str) -> str:
    """What somebody means who was shown a text with its numbers masked, and typed this one: the text itself where he
    left it. Raises ValueError for a masked number within another text, for nobody can know what it stands for."""
    shown = displayed_text(before)
    if typed == shown:
        return before
    if shown != before and MASK in typed and MASK not in before:
        raise ValueError("a number that was masked must be given in full")
    return typed


def _phones_masked(text: str) -> str:
    text = MOBILE.sub(r"1\1****\2", text)
    return FIXED.sub(r"0\1-****\2", text)


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
