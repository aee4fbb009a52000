"""People, sessions, devices and invitations on the wire (protocol section 1)."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.values import ScopeCode, Text

ROLES = ("inspector", "auxiliary", "reviewer", "supervisor", "auditor", "admin")
MOST_SCOPES = 64  # a cursor names them, and travels in a line of at most 8190 bytes


def name(limit: int = 200) -> validate.And:
    return validate.And(validate.Length(min=1, max=limit), validate.Regexp(r".*\S", error="must not be blank"))


class Credentials(Schema):
    username = Text(required=True, validate=validate.Length(max=200))
    password = Text(required=True, load_only=True, validate=validate.Length(max=1000))


class User(Schema):
    id = Text(dump_only=True)
    username = Text(required=True, validate=validate.And(
        validate.Length(min=1, max=80), validate.Regexp(r"[^\s/\x00-\x1f]+\Z", error="no blanks or slashes")))
    name = Text(required=True, validate=name())
    roles = fields.List(Text(validate=validate.OneOf(ROLES)), required=True, validate=validate.Length(min=1))
    scopes = fields.List(ScopeCode(), required=True, validate=validate.Length(max=MOST_SCOPES))
    password = Text(required=True, load_only=True, validate=validate.Length(min=6, max=1000))
    unit = Text(allow_none=True, validate=validate.Length(max=80))
    active = fields.Boolean(truthy={True}, falsy={False})


class UserChange(User):
    class Meta:
        exclude = ("username",)


class SessionOpened(Schema):
    token = fields.String()
    expires_at = fields.String()
    user = fields.Nested(User)


class InvitationAsked(Schema):
    username = Text(required=True)


class Invitation(Schema):
    code = fields.String()
    expires_at = fields.String()


class Jwk(Schema):
    """A public EC P-256 key (RFC 7517); members beyond these are ignored."""

    class Meta:
        unknown = "exclude"

    kty = fields.String(required=True, validate=validate.Equal("EC"))
    crv = fields.String(required=True, validate=validate.Equal("P-256"))
    x = fields.String(required=True)
    y = fields.String(required=True)


class Enrolment(Schema):
    """`user_id`: whose the device is to be; the invitation of somebody else is refused, and stays."""

    code = Text(required=True, validate=validate.Length(max=200))
    name = Text(required=True, validate=name())
    platform = Text(required=True, validate=validate.Length(max=200))
    app_version = Text(required=True, validate=validate.Length(max=80))
    public_key = fields.Nested(Jwk, allow_none=True)
    user_id = fields.UUID(allow_none=True)


class Reason(Schema):
    reason = Text(required=True, validate=validate.And(
        validate.Length(max=2000), validate.Regexp(r"(?s).*\S", error="must not be blank")))


class Release(Schema):
    """Corrected fields of a quarantined mutation; `scope` where the scope itself was wrong."""

    set = fields.Dict(keys=fields.String(), allow_none=True)
    scope = ScopeCode(allow_none=True)
