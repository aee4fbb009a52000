"""Copies of photos that people ask for: redactions and display copies."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from schemas.values import Id, Text

METHODS = ("black", "pixelate")
ROUNDING = 1e-6  # sums of fractions


class Box(Schema):
    """A box in fractions of the upright picture, from its upper left corner."""

    x = fields.Float(required=True, validate=validate.Range(0, 1, max_inclusive=False))
    y = fields.Float(required=True, validate=validate.Range(0, 1, max_inclusive=False))
    width = fields.Float(required=True, validate=validate.Range(0, 1, min_inclusive=False))
    height = fields.Float(required=True, validate=validate.Range(0, 1, min_inclusive=False))

    @validates_schema
    def check_edges(self, given: dict[str, Any], **_: Any) -> None:
        """The box lies within the picture."""
        for start, extent in (("x", "width"), ("y", "height")):
            if given[start] + given[extent] > 1 + ROUNDING:
                raise ValidationError(f"{start} + {extent} must be at most 1", extent)


class RedactionGiven(Schema):
    """The boxes to cover, drawn by a person on the page of an evidence record."""

    evidence_id = Id(required=True)
    boxes = fields.List(fields.Nested(Box), required=True, validate=validate.Length(min=1, max=200))
    method = fields.String(load_default="black", validate=validate.OneOf(METHODS))
    note = Text(load_default="", validate=validate.Length(max=2000))


class DisplayCopyAsked(Schema):
    """Whose evidence the display copy shows."""

    evidence_id = Id(required=True)
