"""The review queue and decisions on evidence (protocol section 10)."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from schemas.values import Id, ScopeCode, Text, Time

STATE_OF = {"accept": "accepted", "return": "returned", "exclude": "excluded", "escalate": "escalated"}
STATES = ("open", *STATE_OF.values())
PROFILES = ("court", "party", "public")
ONE_OF_THREE = f"one of {', '.join(PROFILES)}"
LONGEST_PAGE = 200


class QueueAsked(Schema):
    """The query of `GET /reviews`."""

    state = fields.String(load_default="open", validate=validate.OneOf(STATES))
    scope = ScopeCode()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1))
    cursor = fields.String()


class PhotoReason(Schema):
    """A photo that the decision speaks of, and what is wrong with it."""

    evidence_id = Id(required=True)
    reason = Text(load_default="", validate=validate.Length(max=2000))


class DecisionGiven(Schema):
    """A reviewer's decision on one version of a record; `due_at` is for the task that a return makes."""

    decision = fields.String(required=True, validate=validate.OneOf(tuple(STATE_OF)))
    version = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=2**31 - 1))
    reasons = fields.List(Text(validate=validate.Length(min=1, max=500)), load_default=list,
                          validate=validate.Length(max=50))
    note = Text(load_default="", allow_none=True, validate=validate.Length(max=10_000))
    photos = fields.List(fields.Nested(PhotoReason), load_default=list, validate=validate.Length(max=500))
    due_at = Time(allow_none=True)

    @validates_schema
    def check_return(self, given: dict[str, Any], **_: Any) -> None:
        """A return says what to do better."""
        said = given.get("reasons") or (given.get("note") or "").strip()
        if given.get("decision") == "return" and not said:
            raise ValidationError("a return needs reasons or a note", "reasons")
        if given.get("due_at") and given.get("decision") != "return":
            raise ValidationError("only a return makes a task that is due", "due_at")


class BundleAsked(Schema):
    """The query of `GET /reviews/{record_id}/bundle`: for whom it is, and what for."""

    profile = fields.String(required=True, validate=validate.OneOf(PROFILES, error=ONE_OF_THREE),
                            error_messages={"required": ONE_OF_THREE})
    reason = Text(load_default="", validate=validate.Length(max=500))
