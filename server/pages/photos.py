"""Photos under the cookie session, with the same rights as the API's: copies to look at, originals with a reason, and
the copies that people make: redactions and display copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from media.derivatives import derivatives_of
from media.models import Rendition
from schemas.derivatives import DisplayCopyAsked, RedactionGiven
from server.api import derivatives, media
from server.auth import me, needs_role
from server.db import db
from server.derivatives import MAKERS, visible
from server.pages.entrance import bp, done, loaded
from server.pages.evidence import Panel
from server.pages.lookups import learn_names
from server.wire import parse


@bp.get("/photos/<sha256>/original")
def original(sha256: str) -> Response:
    """The original as an attachment; each opening is journalled with its reason. 422 `reason_required`."""
    return media.original(sha256, request.args.get("reason", ""))


@bp.get("/photos/<sha256>/<kind>")
def photo(sha256: str, kind: str) -> Response:
    """The `thumb`, the `screen`, or a copy that a person made, without metadata."""
    return media.rendition(sha256, kind)


@bp.post("/photos/<sha256>/redactions")
@needs_role(*MAKERS)
def redact(sha256: str) -> AnyResponse:
    """Cover the boxes that were drawn, in a new copy."""
    given = loaded(RedactionGiven(), {
        "evidence_id": request.form.get("evidence_id"), "boxes": parse(request.form.get("boxes") or "[]"),
        "method": request.form.get("method", ""), "note": request.form.get("note", "")})
    return _kept(derivatives.redact(sha256, given), "遮盖件已保存,原件未变", "Saved; the original is unchanged")


@bp.post("/photos/<sha256>/display-copies")
@needs_role(*MAKERS)
def display(sha256: str) -> AnyResponse:
    """Make a display copy."""
    given = loaded(DisplayCopyAsked(), {"evidence_id": request.form.get("evidence_id")})
    return _kept(derivatives.display(sha256, given["evidence_id"]), "显示件已制作", "Display copy made")


def _kept(made: Rendition, chinese: str, english: str) -> AnyResponse:
    """Back to the photo on the page that was looked at; `made` opens the list of its copies."""
    form = request.form
    return done(url_for("pages.record", record_type=form.get("record_type") or "evidence",
                        record_id=form.get("record_id") or made.evidence_id, made=made.kind,
                        _anchor=form.get("place") or None), chinese, english)


def copies_of(photos: Sequence[Panel]) -> dict[str, Any]:
    """For the page: `copies`, those that people made by the photo's digest, and what the person may make."""
    digests = [panel.fields["sha256"] for panel in photos]
    made = visible(db.session(), me().scopes, [one for one in derivatives_of(db.session(), digests) if one.made_by])
    learn_names(one.made_by for one in made)
    return {"copies": {digest: [one for one in made if one.parent == digest] for digest in digests},
            "may_copy": me().has_role(*MAKERS),
            "own_photos": {panel.fields["sha256"] for panel in photos if panel.kept.created_by == me().user_id}}
