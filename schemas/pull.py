"""Pull and verify on the wire (protocol section 3)."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class VerifyAsked(Schema):
    """The body of `POST /sync/verify`: nothing is asked beyond who asks."""


class SnapshotAsked(Schema):
    """The body of `POST /sync/snapshot`; `damaged` names a file whose bytes did not have the digest they should."""

    damaged = fields.String(validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))
