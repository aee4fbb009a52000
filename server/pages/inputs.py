"""The input by which a person gives a value of his own for one unit of a record, and the value that he typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from marshmallow import fields, validate

from schemas.problems import Problem
from schemas.records import RECORD_TYPES, Merge, RecordType
from schemas.values import Day, Text, Time
from server.pages.lookups import scope_choices
from server.pages.values import CODED
from server.pages.words import plain_word

LONG_TEXT = 60


@dataclass(frozen=True)
class Input:
    """`kind` is text, long, number, choice, flag, time or json; `choices` are (value, label) pairs of a choice."""

    kind: str
    draft: str
    choices: Sequence[tuple[str, str]] = ()


def input_of(record_type: str, unit: str, kind: str, values: Sequence[Any], scopes: Sequence[str]) -> Input | None:
    """The input for a third value beside `values`, the newest last; None where there is no third."""
    if kind in ("deletion", "command"):
        return None
    draft = next((value for value in reversed(values) if value is not None), None)
    if kind == "scope":
        return Input("choice", str(draft), scope_choices(scopes))
    declared = RECORD_TYPES.get(record_type) or RecordType(record_type, {})
    name, dot, _ = unit.partition(".")
    field = declared.fields.get(name)
    if (field is None and dot) or declared.rule(name) in (Merge.MAP, Merge.APPEND) or declared.members(unit):
        return Input("json", _json(draft))
    return _of_field(name, field.value if field else None, values, draft)


def typed(asked: Input, text: str) -> Any:
    """The value that was typed, None for nothing; raises `choice_invalid`."""
    text = text.strip()
    if not text:
        return None
    try:
        if asked.kind == "number":
            return _number(text)
        if asked.kind == "json":
            return orjson.loads(text)
    except ValueError:
        raise Problem("choice_invalid", f"第三个值须为有效{'数字' if asked.kind == 'number' else ' JSON'} "
                                        f"the third value must be valid {asked.kind}") from None
    return text == "true" if asked.kind == "flag" else text


def _number(text: str) -> int | float:
    number = orjson.loads(text)
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _of_field(name: str, field: Any, values: Sequence[Any], draft: Any) -> Input:
    if isinstance(field, fields.Boolean) or _all(values, bool):
        return Input("flag", _json(draft))
    if isinstance(field, fields.Number) or (not isinstance(field, Text) and _all(values, (int, float))):
        return Input("number", _json(draft))
    options = getattr(field, "validate", None)
    if isinstance(options, validate.OneOf):
        return Input("choice", str(draft), [(one, plain_word(CODED.get(name, name), one)) for one in options.choices])
    if isinstance(field, (Time, Day)):
        return Input("time", str(draft))
    if isinstance(field, Text) or _all(values, str):
        text = "" if draft is None else str(draft)
        return Input("long" if len(text) > LONG_TEXT else "text", text)
    return Input("json", _json(draft))


def _all(values: Sequence[Any], kind: Any) -> bool:
    """True when every value that is there is of this kind, and one is there; True and False are no numbers."""
    there = [value for value in values if value is not None]
    wanted = there and all(isinstance(value, kind) for value in there)
    return bool(wanted) and (kind is bool or not any(isinstance(value, bool) for value in there))


def _json(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
