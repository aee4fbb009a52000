"""People: made and changed by admins, listed by supervisors of their scope (protocol section 1)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from schemas.people import User as UserSchema
from schemas.people import UserChange
from schemas.problems import Problem
from server.api import blueprint
from server.api.sessions import shown
from server.auth import hash_password, me, needs_role
from server.db import db, writing
from server.handover import enter_scopes
from server.models import Login, User
from server.reference import known_scope
from server.wire import answer
from sync.writers import covers

blp = blueprint("users", "人员 People")
ABOVE = ("admin", "auditor", "supervisor")  # for whom a supervisor makes and ends no device


@blp.post("/users")
@needs_role("admin")
@blp.arguments(UserSchema)
@blp.response(201, UserSchema)
def add_user(given: dict[str, Any]) -> Response:
    """Make a person. 409 `username_taken`, 422 `scope_unknown`."""
    return answer(shown(make_user(me().user_id, **given)), 201)


@blp.patch("/users/<user_id>")
@needs_role("admin")
@blp.arguments(UserChange(partial=True))
@blp.response(200, UserSchema)
def change_user(given: dict[str, Any], user_id: str) -> Response:
    """Change a person. Changed scopes raise `scopes.version` of his devices; an inactive person is out at once."""
    _check_scopes(given.get("scopes", []))
    changed = sorted(given)
    password_hash = hash_password(given.pop("password")) if "password" in given else None
    with writing() as door:
        user = door.session.get(User, user_id)
        if user is None:
            raise Problem("not_found", "没有此人 no such person")
        if password_hash is not None:
            user.password_hash = password_hash
            door.session.execute(delete(Login).where(Login.user_id == user_id))
        given |= {name: list(dict.fromkeys(given[name])) for name in ("roles", "scopes") if name in given}
        moved = set(given.get("scopes", user.scopes)) != set(user.scopes)
        for name, value in given.items():
            setattr(user, name, value)
        if moved:
            user.scopes_version += 1
            enter_scopes(door, user)
        door.record_entry("user_changed", me().user_id, user_id, {
            "changed": changed, "roles": user.roles, "scopes": user.scopes, "active": user.active},
            aside=named(user), kept=False)
    return answer(shown(user))


@blp.get("/users")
@needs_role("supervisor", "admin")
@blp.response(200)
def list_users() -> Response:
    """People: all for an admin, those of the own scope for a supervisor."""
    people = db.session.execute(select(User).order_by(User.username)).scalars()
    return answer({"items": [shown(user) for user in people if oversees(user)]})


def oversees(user: User) -> bool:
    """May the one who asks see this person? An admin everybody, a supervisor those who work in his scope."""
    return me().has_role("admin") or any(covers(me().scopes, scope) for scope in user.scopes)


def objection(user: User) -> Problem | None:
    """Why the one who asks may not invite and revoke for this person; None when he may.

    An admin may for everybody, a supervisor for himself and for those who work only in his scopes and have no office
    rights: `not_found` for whom he does not see, `role_forbidden`, `out_of_scope` for the others.
    """
    if not oversees(user):
        return Problem("not_found", "您的范围内没有此人 no such person in your scope", hidden=True)
    if me().has_role("admin") or user.id == me().user_id:
        return None
    if any(role in ABOVE for role in user.roles):
        return Problem("role_forbidden", "只有管理员可以 only an admin may, for an admin, auditor or supervisor")
    if not all(covers(me().scopes, scope) for scope in user.scopes):
        return Problem("out_of_scope", "此人还负责其他区域 the person works in other scopes too")
    return None


def make_user(actor: str, *, username: str, name: str, roles: list[str], scopes: list[str], password: str,
              unit: str | None = None, active: bool = True) -> User:
    """A new person, journalled; raises `username_taken`, `scope_unknown`. Hashing, which is slow, goes first."""
    _check_scopes(scopes)
    password_hash = hash_password(password)
    with writing() as door:
        user = User(id=str(uuid.UUID(bytes=door.random_bytes(16), version=4)), username=username, name=name,
                    password_hash=password_hash, roles=list(dict.fromkeys(roles)),
                    scopes=list(dict.fromkeys(scopes)), scopes_version=1, unit=unit, active=active,
                    created_at=door.at)
        door.session.add(user)
        try:
            door.session.flush()
        except IntegrityError:
            raise Problem("username_taken", f"用户名已存在 {username} exists already") from None
        enter_scopes(door, user)
        door.record_entry("user_added", actor, user.id, {
            "roles": user.roles, "scopes": user.scopes, "active": user.active}, aside=named(user), kept=False)
    return user


def named(user: User) -> dict[str, Any]:
    """Whom an entry means, and by which password he is known: to that the journal is only committed."""
    return {"username": user.username, "name": user.name, "unit": user.unit, "password": user.password_hash}


def _check_scopes(scopes: list[str]) -> None:
    unknown = [scope for scope in scopes if not known_scope(scope)]
    if unknown:
        raise Problem("scope_unknown", f"没有此区划代码 no division has the code {', '.join(unknown)}",
                      errors={"scopes": [f"unknown: {code}" for code in unknown]})
