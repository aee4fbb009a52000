"""How the value of a field is shown: times in Beijing time, places as degrees, codes as words, the rest as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import orjson
from jinja2 import Undefined
from markupsafe import Markup, escape
from marshmallow import ValidationError

from schemas.positions import distance_m
from schemas.problems import Problem
from schemas.values import RFC3339, Position, is_uuid, stamp
from server.pages.lookups import class_name, name_of, scope_name, zone_name
from server.pages.words import BEIJING, beijing, t, word, words
from server.rules.crs import to_4490

POSITION = Position()
LONGEST_JSON = 400
MOST_PARTS = 40
PEOPLE = ("inspector_id", "officers", "assignee", "reviewer_id", "officer", "created_by", "device")
CODED = {"status": "status", "source": "source", "role": "photo", "kind": "enforcement", "decision": "decision",
         "how": "served"}
NOTHING = Markup('<span class="nothing">—</span>')


def value_of(name: str, value: Any) -> Markup:
    """A field's value for people."""
    if value is None or isinstance(value, Undefined) or value == "" or value == [] or value == {}:
        return NOTHING
    if name == "deleted" and value is True:
        return t("删除整条记录", "delete the record")
    if isinstance(value, bool):
        return t("是", "yes") if value else t("否", "no")
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, Mapping):
        return _mapping(name, value)
    if isinstance(value, list) and all(isinstance(one, (str, int, float)) for one in value):
        return Markup("、").join(value_of(name, one) for one in value)
    return escape(value) if isinstance(value, (int, float)) else raw(value)


def raw(value: Any) -> Markup:
    """JSON, shortened."""
    text = orjson.dumps(value).decode()
    return Markup("<code>{}</code>").format(text if len(text) <= LONGEST_JSON else text[:LONGEST_JSON] + "…")


def from_beijing(day: str, path: str) -> str:
    """The wire time at which a day of the city begins; raises `invalid_request`."""
    try:
        return stamp(datetime.combine(date.fromisoformat(day), time(), BEIJING))
    except (ValueError, OverflowError):
        raise Problem("invalid_request", f"不是日期 {day[:20]!r} is no day", errors={path: ["no day"]}) from None


def place(position: Mapping[str, Any]) -> str:
    """A position in one line: degrees as sent, coordinate system, accuracy, provider."""
    accuracy = position.get("accuracy_m")
    parts = [position["crs"], f"±{accuracy:g} m" if accuracy is not None else None, position.get("provider")]
    return f"{position['lon']:.6f}, {position['lat']:.6f} ({' · '.join(str(part) for part in parts if part)})"


def apart_m(one: Any, other: Any) -> float | None:
    """Metres between two positions; None where one of the values is no position."""
    if not (is_position(one) and is_position(other)):
        return None
    return distance_m(*(degree for each in (one, other) for degree in to_4490(each["lon"], each["lat"], each["crs"])))


def is_position(value: Any) -> bool:
    """True for what the door would take as a position; what stands in a quarantined mutation may be anything."""
    try:
        POSITION.deserialize(value)
    except ValidationError:
        return False
    return True


def _text(name: str, value: str) -> Markup:
    if name in CODED and (CODED[name], value) in words():
        return word(CODED[name], value)
    if RFC3339.fullmatch(value):
        return Markup("<time>{}</time>").format(beijing(value))
    if name in PEOPLE and is_uuid(value):
        return escape(name_of(value))
    if name in ("zone_id", "scope"):
        return escape((zone_name(value) if name == "zone_id" else scope_name(value)) or value)
    if name == "evidence_id" and is_uuid(value):
        return Markup("<code>…{}</code>").format(value[-12:])
    return Markup('<span class="lines">{}</span>').format(value) if "\n" in value else escape(value)


def _class(value: Mapping[str, Any]) -> Markup:
    """A classification; one without a class says so, one without a severity keeps silent of it."""
    code, severity = value["class_code"], value.get("severity")
    said = Markup("{} <code>{}</code>").format(class_name(value.get("class_scheme"), code), code) \
        if code not in (None, "") else t("无类别", "no class")
    return said if severity is None else Markup("{} · {}").format(said, severity)


def _mapping(name: str, value: Mapping[str, Any]) -> Markup:
    if is_position(value):
        return Markup('<span class="num">{}</span>').format(place(value))
    if "class_code" in value:
        return _class(value)
    if "command" in value:
        return Markup("{} {}").format(t("命令", "command"), word("op", value["command"]))
    if name == "zone" and "decision" in value and (value.get("zone_id") is None or is_uuid(value["zone_id"])):
        return Markup("{} · {}").format(zone_name(value.get("zone_id")) or "—",
                                        word("zone", value["decision"]))
    return Markup("<br>").join(Markup('<span class="key">{}</span> {}').format(word("field", key), value_of(key, part))
                               for key, part in list(value.items())[:MOST_PARTS])
