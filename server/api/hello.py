"""Hello: protocol, limits, scopes, epoch and the newest checkpoint (protocol section 1)."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy import select

from schemas.values import stamp
from server.api import blueprint
from server.auth import Principal, me
from server.db import db, fresh_checkpoint
from server.house import house
from server.wire import answer
from sync.models import Clock

blp = blueprint("hello", "问候 Hello")
PROTOCOL = 1
SCHEMA_VERSION = 1


@blp.get("/hello")
@blp.response(200)
def hello() -> Response:
    """What a client must know before it works."""
    return answer(hello_of(me()))


def hello_of(principal: Principal) -> dict[str, Any]:
    epoch = db.session.execute(select(Clock.epoch).where(Clock.id == 1)).scalar_one()
    checkpoint = fresh_checkpoint()
    device = {"device": {"id": principal.device_id, "last_n": principal.last_n}} if principal.device_id else {}
    return {"protocol": PROTOCOL, "server_time": stamp(house().clock()), "epoch": epoch,
            "schema_version": SCHEMA_VERSION, "limits": house().settings.limits(), **device,
            "user": principal.user(), "scopes": scopes_of(principal), "checkpoint": checkpoint}


def scopes_of(principal: Principal) -> dict[str, Any]:
    return {"version": principal.scopes_version, "codes": list(principal.scopes)}
