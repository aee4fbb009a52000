"""Snapshots for first pulls: a prepared file of what is in scope, and the cursor of its tail (sync/README.md)."""

from __future__ import annotations

from typing import Any

from flask import Response, request, send_file, url_for

from schemas.problems import Problem
from schemas.pull import SnapshotAsked
from schemas.values import stamp
from server.api import blueprint
from server.api.hello import scopes_of
from server.api.openapi import header
from server.auth import me, must_be_device
from server.db import db, fresh_checkpoint, reading
from server.house import house
from server.snapshots import file_of, kept_until, prepared
from server.wire import answer
from sync.snapshot import continuation

blp = blueprint("snapshot", "快照 Snapshot")
FOUND_ELSEWHERE = "没有这份快照,请重新索取 There is no such snapshot of your scopes (any more): ask for another"


@blp.post("/sync/snapshot")
@blp.arguments(SnapshotAsked, required=False)
@blp.response(200)
@blp.alt_response(204, description="So little is in scope that a pull from the beginning is as quick")
def ask(asked: dict[str, Any]) -> Response:
    """A file with all that is in the caller's scopes, and the cursor of the pull that goes on from there."""
    principal, state = must_be_device(me()), house()
    checkpoint = fresh_checkpoint()
    found = prepared(principal.scopes, asked.get("damaged"))
    if found is None:
        return Response(status=204)
    with reading():
        goes_on = continuation(db.session(), principal.reader(), found.written, state.settings.secret_key)
    return answer({"url": url_for("snapshot.fetch", sha256=found.sha256), "bytes": found.size, "sha256": found.sha256,
                   **goes_on, "expires_at": kept_until(found), "scopes": scopes_of(principal),
                   "server_time": stamp(state.clock()), "checkpoint": checkpoint})


@blp.get("/sync/snapshots/<sha256>")
@blp.doc(parameters=[header("Range", "one range of bytes, to go on after a cut"),
                     header("If-Range", "the ETag, so that a range is only given of the same file")])
@blp.response(200, content_type="application/gzip")
@blp.ranged("application/gzip")
def fetch(sha256: str) -> Response:
    """The file as it lies: gzip, inflated one JSON text a line."""
    path = file_of(must_be_device(me()).scopes, sha256)
    if path is None:
        raise Problem("not_found", FOUND_ELSEWHERE)
    if request.range is None or request.range.units != "bytes" or len(request.range.ranges) > 1:
        request.environ.pop("HTTP_RANGE", None)  # what is not one range asks for all (RFC 9110, 14.2)
    made = send_file(path, mimetype="application/gzip", conditional=True, etag=sha256, max_age=0)
    made.headers["Cache-Control"] = "private, no-cache"
    return made
