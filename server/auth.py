"""Who asks: bearer tokens of people and devices, passwords, roles, scopes. Tokens are random and stored hashed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import orjson
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import g, request
from flask_smorest import Blueprint
from sqlalchemy import Row, bindparam, select, union_all

from schemas.problems import Problem
from schemas.values import stamp
from server.db import db
from server.handover import Known, known_of, late_terms
from server.house import house
from server.models import Login, User
from server.refusals import remember_asker, remember_attempt
from sync.bulk import Among
from sync.models import Device, table_of
from sync.pull import Reader
from sync.writers import Writer, covers

ROLES = ("inspector", "auxiliary", "reviewer", "supervisor", "auditor", "admin")
HASHER = PasswordHasher()
DEVICES, LOGINS, USERS = table_of(Device), table_of(Login), table_of(User)
PERSON = (USERS.c.username, USERS.c.name, USERS.c.roles, USERS.c.scopes, USERS.c.scopes_version, USERS.c.unit,
          USERS.c.active)
# One statement each, made once: every request asks.
OF_DEVICE = select(*(DEVICES.c[name] for name in (
    "id", "user_id", "public_key", "state", "last_n", "last_seen_at", "reported", "clock_offset_ms",
    "scopes_acknowledged", "late_from", "late_n")), *PERSON).where(USERS.c.id == DEVICES.c.user_id)
DEVICE_OF_TOKEN = OF_DEVICE.where(DEVICES.c.token_hash == bindparam("digest"))
DEVICE_OF_ID = OF_DEVICE.where(DEVICES.c.id == bindparam("device_id"))
LOGIN_OF_TOKEN = select(LOGINS.c.user_id, LOGINS.c.expires_at, *PERSON).where(
    LOGINS.c.token_hash == bindparam("digest"), USERS.c.id == LOGINS.c.user_id)
STANDING = union_all(
    select(DEVICES.c.id, USERS.c.scopes_version).where(
        Among(DEVICES.c.id, bindparam("whose")), DEVICES.c.state == "active", USERS.c.id == DEVICES.c.user_id,
        USERS.c.active),
    select(LOGINS.c.token_hash, USERS.c.scopes_version).where(
        Among(LOGINS.c.token_hash, bindparam("whose")), LOGINS.c.expires_at >= bindparam("now"),
        USERS.c.id == LOGINS.c.user_id, USERS.c.active))
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Principal:
    """The one who asks, as he was when the request came."""

    user_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    scopes_version: int
    unit: str | None
    device_id: str | None = None
    public_key: Any = None
    last_n: int | None = None
    known: Known | None = None
    login_hash: str | None = None

    @property
    def id(self) -> str:
        """The writer and reader in the sense of the protocol: the device, or the person on the web."""
        return self.device_id or self.user_id

    def has_role(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)

    def covers(self, scope: str) -> bool:
        return covers(self.scopes, scope)

    def writer(self) -> Writer:
        late = late_terms(self.known, self.user_id, self.scopes_version) if self.known else {}
        return Writer(self.id, self.user_id, self.roles, self.scopes, self.device_id, self.unit,
                      signed=self.device_id is None or self.public_key is not None, **late)

    def reader(self) -> Reader:
        return Reader(self.id, self.scopes, self.user_id)

    def user(self) -> dict[str, Any]:
        """The person as the wire shows him."""
        return {"id": self.user_id, "username": self.username, "name": self.name, "roles": list(self.roles),
                "scopes": list(self.scopes), "unit": self.unit}


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Tokens are long and random, so a plain digest is enough to store them by."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """As it is stored: Argon2id with a salt of its own."""
    return HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    """A hash that no password has, to be verified where there is no such person, so that both take the same time."""
    return hash_password(secrets.token_hex(16))


def check_password(username: str, password: str) -> User:
    """The active person of that name and password; raises `bad_credentials`, after the same time in every case."""
    remember_attempt(username)
    user = db.session.execute(select(User).where(User.username == username)).scalar_one_or_none()
    try:
        HASHER.verify(user.password_hash if user else _nobodys_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        raise Problem("bad_credentials") from None
    if user is None or not user.active:
        raise Problem("bad_credentials")
    return user


def principal_of(token: str) -> Principal:
    """The person or device of a token; raises `login_required`, `token_expired`, `device_revoked`, `user_inactive`."""
    digest = hash_token(token)
    connection = db.session.connection()
    device = connection.execute(DEVICE_OF_TOKEN, {"digest": digest}).one_or_none()
    if device is not None:
        remember_asker(device.user_id, device.id)
        if device.state != "active":
            raise Problem("device_revoked")
        return _device(device)
    login = connection.execute(LOGIN_OF_TOKEN, {"digest": digest}).one_or_none()
    if login is None:
        raise Problem("login_required", "令牌无效 The token is not known")
    remember_asker(login.user_id)
    if login.expires_at < stamp(house().clock()):
        raise Problem("token_expired")
    return _principal(login, login_hash=digest)


def device_of(device_id: str) -> tuple[Principal, str] | None:
    """The device of that id with its state, whatever became of it and of its person: for what the office brings."""
    device = db.session.connection().execute(DEVICE_OF_ID, {"device_id": device_id}).one_or_none()
    return (_device(device, gone_too=True), device.state) if device else None


def _device(row: Row[Any], *, gone_too: bool = False) -> Principal:
    """The principal of a row of OF_DEVICE."""
    return _principal(row, gone_too=gone_too, device_id=row.id, public_key=row.public_key, last_n=row.last_n,
                      known=known_of(row))


def _principal(row: Row[Any], *, gone_too: bool = False, **more: Any) -> Principal:
    """The principal of a row with the columns PERSON; of somebody inactive only with `gone_too`."""
    if not row.active and not gone_too:
        raise Problem("user_inactive")
    return Principal(row.user_id, row.username, row.name, tuple(row.roles), tuple(row.scopes), row.scopes_version,
                     row.unit, **more)


def still_stand(principals: Sequence[Principal]) -> list[bool]:
    """Of each: would he be let in now, and see the same scopes as when he came?"""
    keys = [principal.device_id or principal.login_hash for principal in principals]
    rows = db.session.connection().execute(STANDING, {
        "whose": orjson.dumps(keys).decode(), "now": stamp(house().clock())})
    standing = {row.id: row.scopes_version for row in rows}
    return [standing.get(key) == principal.scopes_version for key, principal in zip(keys, principals, strict=True)]


def authenticate() -> Principal:
    """The one who asks, by his bearer token; remembered for the request."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("login_required")
    found = principal_of(token.strip())
    db.session.rollback()
    g.principal = found
    return found


def me() -> Principal:
    """The one who asks, once authenticated."""
    principal: Principal = g.principal
    return principal


def must_be_device(principal: Principal) -> Principal:
    """The principal, if it is a device; raises `device_required` for a person."""
    if principal.device_id is None:
        raise Problem("device_required")
    return principal


def must_be_person() -> None:
    """Raise `person_required` for a device: its token carries no office rights, whoever owns it."""
    if me().device_id is not None:
        raise Problem("person_required")


def must_have_role(*roles: str) -> None:
    """Raise `role_forbidden` unless the one who asks has one of the roles."""
    if not me().has_role(*roles):
        raise Problem("role_forbidden", f"需要角色 needs one of the roles: {', '.join(roles)}")


def must_cover(scope: str) -> None:
    """Raise `out_of_scope` unless the one who asks covers the scope."""
    if not me().covers(scope):
        raise Problem("out_of_scope", f"不在您的责任范围 scope {scope} is not covered")


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that works without a token."""
    view = Blueprint.doc(security=[])(view)
    view.is_public = True  # type: ignore[attr-defined]  # a mark on the function, read by the blueprint
    return view


def for_people(view: Callable[P, R]) -> Callable[P, R]:
    """A view only for people, not for their devices."""
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        must_be_person()
        return view(*args, **kwargs)
    return guarded


def needs_role(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view only for people, not for their devices, with one of the roles."""
    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            must_be_person()
            must_have_role(*roles)
            return view(*args, **kwargs)
        return guarded
    return decorate
