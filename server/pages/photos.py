"""Photos under the cookie session, with the same rights as the API's: copies to look at, originals with a reason."""

from __future__ import annotations

from flask import Response, request

from server.api import media
from server.pages.entrance import bp


@bp.get("/photos/<sha256>/original")
def original(sha256: str) -> Response:
    """The original as an attachment; each opening is journalled with its reason. 422 `reason_required`."""
    return media.original(sha256, request.args.get("reason", ""))


@bp.get("/photos/<sha256>/<kind>")
def photo(sha256: str, kind: str) -> Response:
    """The `thumb` or the `screen` copy, without metadata."""
    return media.rendition(sha256, kind)
