"""Canonical JSON (RFC 8785) with the standard library: what capture chains sign and journals hash."""

from __future__ import annotations

import json
import math
from typing import Any


def canonical(value: Any) -> bytes:
    """The one UTF-8 form of a JSON value. Raises ValueError for NaN and the infinities."""
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _number(float(value))


def _number(value: float) -> str:
    """ECMAScript's Number::toString: the shortest digits, exponents only from 1e21 and below 1e-6."""
    if not math.isfinite(value):
        raise ValueError("no number of JSON")
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value!r}".replace("E", "e").partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, part = mantissa.partition(".")
    part = "" if part == "0" else part
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + part) - len(digits))
    return sign + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    """Digits with the decimal point behind the first `point` of them, as ECMAScript writes it."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"
