"""What is asked and given about keeping, holding, disposing and erasing."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.values import ScopeCode, Text, Time

LONGEST_PAGE = 500


class DueAsked(Schema):
    """The query of `GET /retention`."""

    due_before = Time()
    class_ = Text(data_key="class")
    scope = ScopeCode()
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1))
    cursor = fields.Integer(validate=validate.Range(min=0, max=2**62))
