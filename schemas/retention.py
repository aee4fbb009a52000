"""What is asked and given about keeping, holding, disposing and erasing."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from schemas.values import Id, ScopeCode, Text, Time

LONGEST_PAGE = 500


def _says_something(text: str) -> None:
    if not text.strip():
        raise ValidationError("须写明 say why")


REASON = (validate.Length(max=2000), _says_something)


class DueAsked(Schema):
    """The query of `GET /retention`."""

    due_before = Time()
    class_ = Text(data_key="class")
    scope = ScopeCode()
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1))
    cursor = fields.Integer(validate=validate.Range(min=0, max=2**62))


class HoldGiven(Schema):
    """An order that a record be kept, with the number of its document, and until when it stands; without: until it is
    released."""

    reason = Text(required=True, validate=REASON)
    ordered_by = Text(required=True, validate=validate.Length(min=1, max=200))
    document_no = Text(allow_none=True, validate=validate.Length(max=100))
    until = Time(allow_none=True)


class HoldsAsked(Schema):
    """The query of `GET /legal-holds`."""

    scope = ScopeCode()
    state = fields.String(load_default="standing", validate=validate.OneOf(("standing", "all")))


class WhySaid(Schema):
    """Why somebody does it."""

    reason = Text(required=True, validate=REASON)


class DisposalGiven(Schema):
    """A proposal to dispose of photos: of these records, or of a class of those that are due."""

    records = fields.List(Id(), validate=validate.Length(min=1, max=500))
    class_ = Text(data_key="class")
    scope = ScopeCode()
    due_before = Time()
    reason = Text(required=True, validate=REASON)

    @validates_schema
    def check_which(self, given: dict[str, Any], **_: Any) -> None:
        """Records, or a class."""
        if ("records" in given) == ("class_" in given):
            raise ValidationError("records, or a class", "records")


class Decided(Schema):
    """What the one says who approves or refuses."""

    note = Text(required=True, validate=REASON)


class ProposalsAsked(Schema):
    """The query of `GET /disposals` and `GET /erasures`."""

    state = fields.String(validate=validate.OneOf(("proposed", "approved", "refused", "done")))
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1))


class ErasureGiven(Schema):
    """A proposal to erase the values of these fields of a record, on a ground of `erasure_grounds.csv`."""

    record_type = Text(required=True)
    record_id = Id(required=True)
    fields_ = fields.List(Text(validate=validate.Length(min=1, max=200)), data_key="fields", required=True,
                          validate=validate.Length(min=1, max=50))
    ground = Text(required=True)
    reason = Text(required=True, validate=REASON)
