"""Pull and verify on the wire (protocol section 3)."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class Nothing(Schema):
    """The body of a call in which nothing is asked beyond who asks: none, or an empty object."""


class VerifyAsked(Nothing):
    """The body of `POST /sync/verify`."""


class SnapshotAsked(Schema):
    """The body of `POST /sync/snapshot`; `damaged` names a file whose bytes did not have the digest they should."""

    damaged = fields.String(validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))
