"""Every record type, its fields, and how each field merges (protocol sections 4 and 5).

A field that is not declared here is kept and given back, and merges as `latest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from schemas.declared import Declared, Merge, RecordType
from schemas.problems import Problem
from schemas.values import (
    About,
    Amount,
    Day,
    Id,
    Keyed,
    Point,
    Position,
    Scalar,
    ScopeCode,
    Sha256,
    Text,
    Texts,
    Time,
)


def _text(limit: int = 10_000) -> Text:
    return Text(validate=validate.Length(max=limit))


def _one_of(*choices: str) -> Text:
    return Text(validate=validate.OneOf(choices))


def _server() -> Declared:
    return Declared(fields.Raw(allow_none=True), Merge.SERVER)


def _texts() -> Texts:
    return Texts(200, validate=validate.Length(max=200))


def _keyed(value: fields.Field[Any]) -> Keyed:
    return Keyed(keys=_text(200), values=value)


def _position() -> Declared:
    return Declared(Position(), Merge.BOUND, bound="position")


def _ref(record_type: str, rule: Merge = Merge.LATEST) -> Declared:
    return Declared(About() if record_type == "*" else Id(), rule, refers=record_type)


CODE = "classification"

FINDING = RecordType("finding", {
    "class_scheme": Declared(_text(80), Merge.BOUND, bound=CODE),
    "class_code": Declared(_text(40), Merge.BOUND, bound=CODE),
    "severity": Declared(Scalar(), Merge.BOUND, bound=CODE),
    "condition": Declared(_text(200)), "text": Declared(_text()), "address": Declared(_text(500)),
    "position": _position(), "observed_at": Declared(Time()), "sticker_serial": Declared(_text(80)),
    "party_id": _ref("party"), "inspection_id": _ref("inspection"),
    "source": Declared(_one_of("patrol", "spot_check", "hotline", "public", "video", "sensor", "leader",
                               "third_party")),
    "tags": Declared(_texts(), Merge.SET), "self_handled": Declared(fields.Boolean(truthy={True}, falsy={False})),
    "status": Declared(_text(40), Merge.SERVER),
    **{name: _server() for name in ("zone", "duplicates", "due_at", "unit", "inspector_id", "unsigned", "handling")},
}, required=("observed_at",), one_of=("position", "address", "sticker_serial"))

INSPECTION = RecordType("inspection", {
    "template_id": Declared(_text(80)), "template_version": Declared(Scalar()),
    "zone_id": _ref("zone"), "party_id": _ref("party"), "position": _position(),
    "started_at": Declared(Time()), "ended_at": Declared(Time()),
    "answers": Declared(_keyed(Keyed(keys=_text(40), allow_none=True)), Merge.MAP),
    "officers": Declared(_texts(), Merge.SET), "score": _server(), "inspector_id": _server(), "unsigned": _server(),
}, required=("started_at",))

EVIDENCE = RecordType("evidence", {
    "sha256": Declared(Sha256(), Merge.ONCE),
    "bytes": Declared(fields.Integer(strict=True, validate=validate.Range(min=1)), Merge.ONCE),
    "media_type": Declared(_text(100), Merge.ONCE),
    "role": Declared(_one_of("before", "scene", "close", "sign", "after", "document", "other"), Merge.ONCE),
    "about": _ref("*", Merge.ONCE), "captured_at": Declared(Time(), Merge.ONCE),
    "captured_elapsed_ms": Declared(Scalar(), Merge.ONCE), "boot_id": Declared(Scalar(), Merge.ONCE),
    "position": Declared(Position(), Merge.ONCE), "capture": Declared(fields.Dict(), Merge.ONCE),
    "note": Declared(_text()),
    **{name: _server() for name in ("media", "flags", "received_at", "bracket")},
}, required=("sha256", "bytes", "media_type", "role", "about", "captured_at"), immutable=True)

ENFORCEMENT = RecordType("enforcement", {
    "kind": Declared(_one_of("persuade", "courtesy_notice", "order_now", "order_dated", "simple_penalty", "record")),
    "finding_id": _ref("finding"), "party_id": _ref("party"), "offence_code": Declared(_text(80)),
    "facts": Declared(_text()), "officers": Declared(_texts(), Merge.SET), "amount": Declared(Amount()),
    "due_at": Declared(Time()), "served": Declared(fields.Raw()), "document_no": Declared(_text(100)),
    **{name: _server() for name in ("checks", "status", "amendments", "inspector_id", "unsigned", "conclusion")},
}, required=("kind", "facts"))

LETTER = RecordType("letter", {
    "zone_id": _ref("zone"), "party_id": _ref("party"), "period": Declared(fields.Raw()),
    "signed_at": Declared(Time()), "refused": Declared(fields.Raw()), "witness": Declared(fields.Raw()),
    "sticker_serial": Declared(_text(80)), "duties": Declared(fields.Raw(), Merge.MAP),
    "status": _server(), "amendments": _server(), "unsigned": _server(),
})

REGISTER_ENTRY = RecordType("register_entry", {
    "zone_id": _ref("zone"), "on": Declared(Day()), "duties": Declared(_keyed(fields.Raw()), Merge.MAP),
    "officer": Declared(_text(200)), "position": _position(), "note": Declared(_text()), "unsigned": _server(),
})

TRACK = RecordType("track", {
    "points": Declared(fields.List(Point()), Merge.APPEND), "task_id": _ref("task"), "unsigned": _server(),
})

TASK = RecordType("task", {
    "title": Declared(_text(500)), "kind": Declared(_text(80)), "about": _ref("*"), "due_at": Declared(Time()),
    "assignee": Declared(_text(80), Merge.GUARDED), "photos": Declared(fields.Raw()), "note": Declared(_text()),
    "status": _server(), "outcome": _server(),
}, origin="office", required=("assignee",))

CONFLICT = RecordType("conflict", {name: _server() for name in (
    "record_type", "record_id", "field", "base", "theirs", "mine", "winner", "opened_at", "state", "theirs_by",
    "mine_by", "resolution", "kind", "edits")}, origin="server", nullable=frozenset({"base", "theirs", "mine"}))

INCIDENT = RecordType("incident", {
    "kind": Declared(_one_of("chain_gap", "chain_fork", "undelivered"), Merge.SERVER),
    "about": Declared(About(), Merge.SERVER, refers="*"),
    **{name: _server() for name in (
        "severity", "status", "opened_at", "device", "inspector_id", "seq", "missing_from", "missing_to", "missing",
        "evidence", "undelivered", "note", "explanations", "closed")},
}, origin="server")

ZONE = RecordType("zone", {
    "name": Declared(_text(300)), "road": Declared(_text(200)), "section": Declared(_text(200)),
    "party": Declared(fields.Raw()), "party_id": _ref("party"), "sticker_serial": Declared(_text(80)),
    "valid_from": Declared(_text(40)), "valid_to": Declared(_text(40)), "outline": Declared(fields.Raw()),
    "zone_version": _server(),
}, origin="office", required=("name",))

OFFICE_TYPES = (
    TASK, ZONE,
    RecordType("party", {"name": Declared(_text(300)), "uscc": Declared(_text(40)), "contact": Declared(_text(200))},
               origin="office", required=("name",)),
    RecordType("sticker", {"serial": Declared(_text(80)), "zone_id": _ref("zone"), "issued_at": Declared(Time())},
               origin="office", required=("serial",)),
    RecordType("template", {"template_id": Declared(_text(80)), "template_version": Declared(Scalar()),
                            "name": Declared(_text(300)), "items": Declared(fields.Raw())},
               origin="office", required=("template_id", "template_version"), reaches_down=True),
    RecordType("class", {"scheme": Declared(_text(80)), "code": Declared(_text(40)), "name": Declared(_text(300))},
               origin="office", required=("scheme", "code", "name"), reaches_down=True),
    RecordType("offence", {"code": Declared(_text(80)), "name": Declared(_text(500))},
               origin="office", required=("code", "name"), reaches_down=True),
    RecordType("calendar", {"year": Declared(Scalar()), "days": Declared(fields.Raw())},
               origin="office", required=("year", "days"), reaches_down=True),
    RecordType("notice", {"title": Declared(_text(500)), "text": Declared(_text(50_000))},
               origin="office", required=("title",), reaches_down=True),
    RecordType("decision", {
        "about": _ref("*", Merge.ONCE), "decision": Declared(_one_of("accept", "return", "exclude", "escalate"),
                                                             Merge.ONCE),
        "about_version": Declared(Scalar(), Merge.ONCE), "reasons": Declared(fields.Raw(), Merge.ONCE),
        "note": Declared(_text(), Merge.ONCE), "photos": Declared(fields.Raw(), Merge.ONCE),
        "reviewer_id": _server()}, origin="server", required=("about", "decision")),
)

RECORD_TYPES: Mapping[str, RecordType] = {declared.name: declared for declared in (
    FINDING, INSPECTION, EVIDENCE, ENFORCEMENT, LETTER, REGISTER_ENTRY, TRACK, CONFLICT, INCIDENT, *OFFICE_TYPES)}


def record_type(name: object) -> RecordType:
    """The declared type of that name; raises `type_unknown`."""
    declared = RECORD_TYPES.get(name) if isinstance(name, str) else None
    if declared is None:
        raise Problem("type_unknown", f"no record type {name!r}")
    return declared


__all__ = ["RECORD_TYPES", "Declared", "Merge", "RecordType", "ScopeCode", "record_type"]
