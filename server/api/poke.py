"""Live (sync/README.md): an event stream that says when there is something to pull, and nothing else."""

from __future__ import annotations

from flask import Response, request

from server.api import blueprint
from server.api.openapi import query
from server.live import listening

blp = blueprint("poke", "实时提示 Live")


@blp.get("/sync/poke")
@blp.doc(parameters=[query("cursor", "that of the last pull: a device that is behind is poked at once")])
@blp.response(200, content_type="text/event-stream")
def poke() -> Response:
    """Events named `poke`, without data: pull when one comes. The stream ends after some minutes; come again."""
    return listening(request.args.get("cursor") or None)
