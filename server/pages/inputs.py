"""The input by which a person gives a value of his own for one unit of a record, and the value that he typed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from marshmallow import fields, validate

from schemas.problems import Problem
from schemas.records import RECORD_TYPES, Merge, RecordType
from schemas.values import Day, Text, Time, is_time, parse_time, stamp
from server.pages.lookups import class_name, scope_choices
from server.pages.values import CODED, is_position
from server.pages.words import BEIJING, beijing, plain, plain_word
from server.reference.codes import CODE_DIGITS, classes, offences
from server.rules.masking import meant

LONG_TEXT = 60
CLASS = ("class_scheme", "class_code", "severity")
BETWEEN = "|"
SAID = {"number": ("数字", "a number"), "json": (" JSON", "JSON"), "time": ("时间", "a time"),
        "position": ("经纬度", "longitude and latitude")}


@dataclass(frozen=True)
class Input:
    """`kind` is text, long, number, choice, flag, time, day, position, class or json; `choices` are (value, label).

    `value` is the newest value that was brought; `draft` is what of it stands in the input, by the input's parts.
    """

    kind: str
    value: Any
    draft: Mapping[str, str]
    choices: Sequence[tuple[str, str]] = ()


def input_of(record_type: str, unit: str, kind: str, values: Sequence[Any], scopes: Sequence[str]) -> Input | None:
    """The input for a third value beside `values`, the newest last; None where there is no third."""
    if kind in ("deletion", "command"):
        return None
    newest = next((value for value in reversed(values) if value is not None), None)
    if kind == "scope":
        return Input("choice", newest, {"": str(newest)}, scope_choices(scopes))
    there = [value for value in values if value is not None]
    declared = RECORD_TYPES.get(record_type) or RecordType(record_type, {})
    name, dot, _ = unit.partition(".")
    field = declared.fields.get(name)
    if not dot and there and all(map(is_position, there)):
        return _position(newest, there)
    if declared.members(unit) == CLASS and all(isinstance(value, Mapping) for value in values):
        return _class(newest or {}, there)
    if (field is None and dot) or declared.rule(name) in (Merge.MAP, Merge.APPEND) or declared.members(unit):
        return Input("json", newest, {"": _json(newest)})
    return _of_field(name, field.value if field else None, there, newest)


def typed(asked: Input, given: Mapping[str, str]) -> Any:
    """The value that was typed; raises `choice_invalid`. What was left as it stood is the value that stood.

    None, which clears a field, only for a text that is left empty by choice.
    """
    given = {part: _meant(_tidy(text), asked.draft.get(part)) for part, text in given.items()}
    text = given.get("", "")
    if asked.kind in ("text", "long") and given.pop("empty", ""):
        if text not in ("", _tidy(asked.draft[""])):
            raise Problem("choice_invalid", "填了第三个值又选了留空 A third value is given, and is to be left empty")
        return None
    if any(not given.get(part, "") for part in asked.draft if part != "severity"):
        raise Problem("choice_invalid", "请填写第三个值 Give the third value")
    if given == {part: _tidy(draft) for part, draft in asked.draft.items()}:
        return asked.value
    try:
        return _read(asked, text, given)
    except (ValueError, OverflowError):
        chinese, english = SAID[asked.kind]
        raise Problem("choice_invalid", f"第三个值须为有效{chinese} The third value must be {english}") from None


def _meant(text: str, draft: str | None) -> str:
    """What was typed over a draft in which numbers are masked."""
    try:
        return text if draft is None else meant(text, _tidy(draft))
    except ValueError:
        raise Problem("choice_invalid", "号码被遮盖,请写全或整段重写 A number is masked: give it in full") from None


def _read(asked: Input, text: str, given: Mapping[str, str]) -> Any:
    if asked.kind == "number":
        return _number(text)
    if asked.kind == "json":
        return orjson.loads(text)
    if asked.kind == "time":
        return _instant(text, asked.value)
    if asked.kind == "position":
        return {"lon": _number(given["lon"]), "lat": _number(given["lat"]), "crs": given["crs"]}
    if asked.kind == "class":
        return _classified(text, given.get("severity", ""), asked)
    return text == "true" if asked.kind == "flag" else text


def _tidy(text: str) -> str:
    """What was typed, with the line ends that it had before a browser sent it."""
    return text.replace("\r\n", "\n").strip()


def _number(text: str) -> int | float:
    number = orjson.loads(text)
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _instant(text: str, before: Any) -> str:
    """A time on the clock of Beijing as the wire writes it; one that is shown alike stays, with its milliseconds."""
    at = datetime.fromisoformat(text)
    if len(text) <= len("2026-11-22") or at.tzinfo is not None:
        raise ValueError(f"{text} is no time in Beijing")
    at = at.replace(tzinfo=BEIJING)
    if is_time(before) and parse_time(before).replace(microsecond=0) == at:
        return str(before)
    return stamp(at)


def _classified(code: str, severity: str, asked: Input) -> dict[str, Any]:
    scheme, _, code = code.rpartition(BETWEEN)
    kept = severity == _tidy(asked.draft["severity"])
    return {"class_scheme": scheme or None, "class_code": code or None,
            "severity": asked.value.get("severity") if kept else severity or None}


def _position(newest: Mapping[str, Any], there: Sequence[Any]) -> Input:
    draft = {"lon": _json(newest["lon"]), "lat": _json(newest["lat"]), "crs": newest["crs"]}
    return Input("position", newest, draft, [(crs, crs) for crs in dict.fromkeys(one["crs"] for one in there)])


def _class(newest: Mapping[str, Any], there: Sequence[Mapping[str, Any]]) -> Input:
    severity = newest.get("severity")
    draft = {"": _class_key(newest), "severity": "" if severity is None else str(severity)}
    listed = [(f"{scheme}{BETWEEN}{code}", f"{code} {one.name} · {scheme}") for (scheme, code), one in classes().items()
              if len(code) == CODE_DIGITS]
    brought = [(_class_key(one), _class_label(one)) for one in there]
    return Input("class", newest, draft, _with(listed, brought))


def _class_key(value: Mapping[str, Any]) -> str:
    return f"{value.get('class_scheme') or ''}{BETWEEN}{value.get('class_code') or ''}"


def _class_label(value: Mapping[str, Any]) -> str:
    scheme, code = value.get("class_scheme"), value.get("class_code")
    return f"{code} {class_name(scheme, code)} · {scheme}" if code else plain("无类别", "no class")


def _of_field(name: str, field: Any, there: Sequence[Any], newest: Any) -> Input:
    text = "" if newest is None else str(newest)
    if isinstance(field, fields.Boolean) or _all(there, bool):
        return Input("flag", newest, {"": _json(newest)})
    if isinstance(field, fields.Number) or (not isinstance(field, Text) and _all(there, (int, float))):
        return Input("number", newest, {"": _json(newest)})
    options = getattr(field, "validate", None)
    if isinstance(options, validate.OneOf):
        listed = [(one, plain_word(CODED.get(name, name), one)) for one in options.choices]
        return Input("choice", newest, {"": text}, listed)
    if name == "offence_code" and _all(there, str):
        listed = [(code, f"{code} {one.name}") for code, one in offences().items()]
        return Input("choice", newest, {"": text}, _with(listed, [(one, one) for one in there]))
    if isinstance(field, Day):
        return Input("day", newest, {"": text})
    if isinstance(field, Time) or (there and all(map(is_time, there))):
        return Input("time", newest, {"": beijing(newest).replace(" ", "T") if newest else ""})
    if isinstance(field, Text) or _all(there, str):
        return Input("long" if len(text) > LONG_TEXT or "\n" in text else "text", newest, {"": text})
    return Input("json", newest, {"": _json(newest)})


def _with(listed: Sequence[tuple[str, str]], brought: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The choices of a list, behind those that were brought and are not on it."""
    known = dict(listed)
    return list({**{value: label for value, label in brought if value not in known}, **known}.items())


def _all(there: Sequence[Any], kind: Any) -> bool:
    """True when every value is of this kind, and one is there; True and False are no numbers."""
    wanted = there and all(isinstance(value, kind) for value in there)
    return bool(wanted) and (kind is bool or not any(isinstance(value, bool) for value in there))


def _json(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
