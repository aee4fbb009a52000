"""The live line of a page, under the cookie: it says that something changed, the page looks what."""

from __future__ import annotations

from flask import Response

from server.live import listening
from server.pages.entrance import bp


@bp.get("/poke")
def poke() -> Response:
    """As `GET /api/v1/sync/poke`."""
    return listening(None)
