"""Pull and verify (protocol section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from schemas.health import HEADER, read_header
from schemas.problems import Problem
from schemas.pull import VerifyAsked
from schemas.values import stamp
from server.api import blueprint
from server.api.hello import scopes_of
from server.api.openapi import header, query
from server.auth import Principal, me, must_be_device
from server.db import db, fresh_checkpoint, reading
from server.handover import acknowledge
from server.house import house
from server.wire import answer
from sync.pull import pull as pull_changes
from sync.verify import digests

LONGEST_NUMBER = 18

blp = blueprint("pull", "下行同步 Pull")


@blp.get("/sync/pull")
@blp.doc(parameters=[query("cursor", "that of the last page; without it from the beginning"),
                     query("limit", "how many changes; above `changes_per_pull` it counts as that", "integer",
                           minimum=1),
                     header(HEADER, "what the device has not delivered: `unsent=3; oldest=TIME; bytes=4096; photos=2; "
                                    "time=TIME; round-trip=MILLISECONDS`; any call may say it")])
@blp.response(200)
def pull() -> Response:
    """One page of what changed after the cursor in the caller's scopes."""
    principal, state, health = must_be_device(me()), house(), read_header(request.headers.get(HEADER))
    cursor = request.args.get("cursor") or None
    limit = number_argument("limit", state.settings.changes_per_pull, least=1, most=state.settings.changes_per_pull)
    if health:
        _acknowledge(principal, cursor, health)
    with reading():
        page = pull_changes(db.session(), principal.reader(), cursor, limit, state.settings.secret_key)
        checkpoint = fresh_checkpoint()  # last, for it may have to write
    if not health:
        _acknowledge(principal, page["cursor"], health)
    return answer({**page, "scopes": scopes_of(principal), "server_time": stamp(state.clock()),
                   "checkpoint": checkpoint})


def _acknowledge(principal: Principal, cursor: str | None, health: Mapping[str, Any]) -> None:
    """A device that tells its health is believed to have what the cursor shows that it came with; of another one
    nothing is known but what it is being sent."""
    if principal.known is not None:
        acknowledge(principal.id, principal.known, principal.scopes, principal.scopes_version, cursor, health)


@blp.post("/sync/verify")
@blp.arguments(VerifyAsked, required=False)
@blp.response(200)
def verify(_: dict[str, Any]) -> Response:
    """Digests of what the caller should hold."""
    with reading():
        found = digests(db.session(), must_be_device(me()).reader(), house().settings.secret_key)
    return answer(found)


def number_argument(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number of the query; above `most` it counts as that, below `least` or no number is refused."""
    text = request.args.get(name)
    if text is None:
        return default
    digits = text.lstrip("0")
    if text.isascii() and text.isdigit() and len(digits) > LONGEST_NUMBER:
        return most
    if not (text.isascii() and text.isdigit()) or int(digits or 0) < least:
        raise Problem("invalid_request", f"{name} must be a number from {least}", errors={name: ["not a number"]})
    return min(int(digits or 0), most)
