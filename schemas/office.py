"""The office's calls on records (protocol section 4a)."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.values import Id, ScopeCode, Text


class NewRecord(Schema):
    id = Id(allow_none=True)
    scope = ScopeCode(required=True)
    fields_ = fields.Dict(keys=fields.String(), required=True, data_key="fields", attribute="fields")


class EditGiven(Schema):
    base = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=2**31 - 1))
    set = fields.Dict(keys=fields.String(), allow_none=True)
    add = fields.Dict(keys=fields.String(), allow_none=True)
    remove = fields.Dict(keys=fields.String(), allow_none=True)
    scope = ScopeCode(allow_none=True)


class CommandGiven(Schema):
    name = Text(required=True, validate=validate.Length(min=1, max=80))
    args = fields.Dict(keys=fields.String(), allow_none=True)
    expect = fields.Dict(keys=fields.String(), allow_none=True)
