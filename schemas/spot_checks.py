"""Spot checks on the wire: frame, strata, size, verdicts (protocol section 11)."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates_schema

from schemas.values import ScopeCode, Text, Time, parse_time

STRATA = ("inspector_id", "scope", "class_code", "status", "zone_id")
VERDICTS = ("confirmed", "disputed", "not_found")
LARGEST_SIZE = 2**31 - 1


class Statuses(fields.Field[Any]):
    """One status or several; an empty list means any."""

    one = Text(validate=validate.Length(min=1, max=40))
    several = fields.List(one, validate=validate.Length(max=50))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        return (self.several if isinstance(value, list) else self.one).deserialize(value) or None


class FrameAsked(Schema):
    """Which records may be drawn: `from` <= `observed_at` < `to`, in these scopes and those under them."""

    type = Text(required=True)
    from_ = Time(required=True, data_key="from")
    to = Time(required=True)
    scopes = fields.List(ScopeCode(), required=True, validate=validate.Length(min=1, max=200))
    status = Statuses(allow_none=True)

    @validates_schema
    def check_span(self, given: dict[str, Any], **_: Any) -> None:
        """The span holds some time."""
        if parse_time(given["from_"]) >= parse_time(given["to"]):
            raise ValidationError("must be after `from`", "to")


class SpotCheckAsked(Schema):
    """A spot check to freeze; its size is given, or follows from a confidence and a margin of error."""

    title = Text(required=True, validate=validate.And(
        validate.Length(max=300), validate.Regexp(r"(?s).*\S", error="must not be blank")))
    frame = fields.Nested(FrameAsked, required=True)
    strata = fields.List(fields.String(validate=validate.OneOf(STRATA)), load_default=list,
                         validate=validate.Length(max=len(STRATA)))
    size = fields.Integer(strict=True, validate=validate.Range(min=1, max=LARGEST_SIZE))
    confidence = fields.Float(validate=validate.Range(min=0.01, max=0.9999))
    margin = fields.Float(validate=validate.Range(min=0.0001, max=1, max_inclusive=False))

    @validates_schema
    def check_size(self, given: dict[str, Any], **_: Any) -> None:
        """Either a size, or both of the figures from which it follows."""
        figures = {"confidence", "margin"} & set(given)
        if len(figures) != (0 if "size" in given else 2):
            raise ValidationError("give either size, or confidence and margin", "size")


class VerdictGiven(Schema):
    """What the second person found: `values` are his own, by the names of the finding's fields."""

    verdict = fields.String(required=True, validate=validate.OneOf(VERDICTS))
    values = fields.Dict(keys=Text(validate=validate.Length(min=1, max=80)), load_default=dict,
                         validate=validate.Length(max=100))
    note = Text(load_default="", allow_none=True, validate=validate.Length(max=10_000))

    @pre_load
    def drop_null(self, given: Any, **_: Any) -> Any:
        """`values: null` says no more than no values."""
        if isinstance(given, dict) and given.get("values", ...) is None:
            return {name: value for name, value in given.items() if name != "values"}
        return given


class VisitsAsked(Schema):
    """Who goes to the drawn places with his handheld (a user id or name), and until when."""

    assignee = Text(required=True, validate=validate.Length(min=1, max=80))
    due_at = Time(allow_none=True)
