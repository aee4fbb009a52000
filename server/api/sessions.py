"""Sessions of people: a login gives an opaque token (protocol section 1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response
from sqlalchemy import delete

from schemas.people import Credentials, SessionOpened
from schemas.values import stamp
from server import limits
from server.api import blueprint
from server.auth import check_password, for_people, hash_token, me, new_token, public
from server.db import writing
from server.house import house
from server.models import Login, User
from server.wire import answer

blp = blueprint("sessions", "登录 Sessions of people")


@blp.post("/sessions")
@public
@limits.logins
@blp.arguments(Credentials)
@blp.response(201, SessionOpened)
def open_session(given: dict[str, Any]) -> Response:
    """Log in. 401 `bad_credentials`; 429 after repeated failures."""
    user = check_password(given["username"], given["password"])
    token, expires_at = open_login(user)
    return answer({"token": token, "expires_at": expires_at, "user": shown(user)}, 201)


@blp.delete("/sessions/current")
@for_people
@blp.response(204)
def close_session() -> Response:
    """Log out: the token stops working at once."""
    close_login()
    return Response(status=204)


def open_login(user: User) -> tuple[str, str]:
    """A fresh token for this person, and when it expires."""
    token = new_token()
    with writing() as door:
        expires_at = stamp(door.now + timedelta(hours=house().settings.login_hours))
        door.session.add(Login(token_hash=hash_token(token), user_id=user.id, created_at=door.at,
                               expires_at=expires_at))
        door.record_entry("login", user.id, user.id, {}, aside={"token": hash_token(token)}, kept=False)
    return token, expires_at


def close_login() -> None:
    """End the session of the one who asks."""
    with writing() as door:
        door.session.execute(delete(Login).where(Login.token_hash == me().login_hash))
        door.record_entry("logout", me().user_id, me().user_id, {})


def shown(user: User) -> dict[str, Any]:
    """A person as the wire shows him; never the password."""
    return {"id": user.id, "username": user.username, "name": user.name, "roles": user.roles, "scopes": user.scopes,
            "unit": user.unit, "active": user.active}
