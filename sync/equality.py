"""When two values are one: JSON as people sent it, never as Python sees it. Serves merging and settling."""

from __future__ import annotations

from typing import Any


def same(one: Any, other: Any) -> bool:
    """Equality of two JSON values as people sent them, without what the server added to a position."""
    one, other = plain(one), plain(other)
    return bool(one == other) and _same_booleans(one, other)


def plain(value: Any) -> Any:
    """The value without what the server added to a position."""
    if isinstance(value, dict) and "normalized" in value and "crs" in value:
        return {name: part for name, part in value.items() if name != "normalized"}
    return value


def _same_booleans(one: Any, other: Any) -> bool:
    """Of two values that Python finds equal: true is not 1 at any depth."""
    if isinstance(one, dict):
        return all(_same_booleans(part, other[name]) for name, part in one.items())
    if isinstance(one, list):
        return all(map(_same_booleans, one, other))
    return isinstance(one, bool) == isinstance(other, bool)
