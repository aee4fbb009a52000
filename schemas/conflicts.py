"""Settling the conflicts of one record together, on the wire."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.values import Id, Text


class Resolution(Schema):
    """One conflict as it was looked at, and what is chosen; `value` with the choice `value`."""

    id = Id(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    choice = Text(required=True, validate=validate.OneOf(("theirs", "mine", "value")))
    value = fields.Raw(allow_none=True)


class Resolutions(Schema):
    """`record_version`: the version of the record that was looked at."""

    record_version = fields.Integer(strict=True, validate=validate.Range(min=1))
    resolutions = fields.List(fields.Nested(Resolution), required=True, validate=validate.Length(min=1, max=200))
