"""Pull and verify on the wire (protocol section 3)."""

from __future__ import annotations

from marshmallow import Schema


class VerifyAsked(Schema):
    """The body of `POST /sync/verify`: nothing is asked beyond who asks."""
