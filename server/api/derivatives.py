"""Copies of a photo: the list of all, and those that people make, redactions and display copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response

from media import derivatives, sandbox
from media.models import Rendition
from media.renditions import NotRendered
from schemas.derivatives import DisplayCopyAsked, RedactionGiven
from schemas.problems import Problem
from server import derivatives as trade
from server.api import blueprint
from server.api.media import must_know_of
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.house import house
from server.wire import answer

blp = blueprint("derivatives", "照片副本 Copies of photos")


@blp.get("/media/<sha256>/derivatives")
@blp.response(200)
def list_derivatives(sha256: str) -> Response:
    """All copies that the caller may see: digest, parent, tool, parameters, who made it and when.

    `made_by` is null for the renditions that the check makes. `said` is what stands on it, or the note.
    """
    with reading():
        must_know_of(sha256)
        made = trade.visible(db.session(), me().scopes, derivatives.derivatives_of(db.session(), [sha256]))
        return answer({"items": [trade.told(one) for one in made]})


@blp.post("/media/<sha256>/redactions")
@needs_role(*trade.MAKERS)
@blp.arguments(RedactionGiven)
@blp.response(201)
def post_redaction(given: dict[str, Any], sha256: str) -> Response:
    """A new copy in which the boxes are covered for good; the original stays as it is. 403 `own_work` for the one who
    took the photo, 422 `need_missing` before it is verified."""
    return answer(trade.told(redact(sha256, given)), 201)


@blp.post("/media/<sha256>/display-copies")
@needs_role(*trade.MAKERS)
@blp.arguments(DisplayCopyAsked)
@blp.response(201)
def post_display_copy(given: dict[str, Any], sha256: str) -> Response:
    """A new display copy 显示件: time, place, officer, case, short digest and a QR code below the picture. 422
    `need_missing` before the photo is verified."""
    return answer(trade.told(display(sha256, given["evidence_id"])), 201)


def redact(sha256: str, given: dict[str, Any]) -> Rendition:
    """Make and keep a redacted copy for the one who asks; `given` is a loaded `RedactionGiven`."""
    with reading():
        trade.shown_photo(db.session(), me().scopes, sha256, given["evidence_id"])
        if trade.is_own_work(db.session(), me().user_id, sha256):
            raise Problem("own_work", "拍摄人不得遮盖本人所摄 who took it does not redact it")
    with _at_work():
        derived = derivatives.redacted(house().store, sha256, given["boxes"], given["method"],
                                       given["note"].strip(), house().settings.spool)
    with writing() as door:
        return derivatives.keep(door, sha256, given["evidence_id"], me().user_id, derived)


def display(sha256: str, evidence_id: str) -> Rendition:
    """Make and keep a display copy for the one who asks."""
    with reading():
        kept = trade.shown_photo(db.session(), me().scopes, sha256, evidence_id)
        lines = trade.lines_on(db.session(), kept, me().scopes)
        screen = db.session.get_one(Rendition, (sha256, "screen")).sha256
    if not trade.FONT.exists():
        raise Problem("unavailable", "缺少字体,请运行 bin/setup the font is missing: run bin/setup")
    with _at_work():
        derived = derivatives.displayed(house().store, screen, lines, trade.code_of(
            kept, house().settings.public_url), trade.FONT, house().settings.spool)
    with writing() as door:
        return derivatives.keep(door, sha256, evidence_id, me().user_id, derived)


@contextmanager
def _at_work() -> Iterator[None]:
    """What goes wrong with a picture, as a problem."""
    try:
        yield
    except NotRendered as error:
        raise Problem("need_missing", f"照片无法显示 the photo cannot be shown: {error}") from error
    except sandbox.ChildLost as error:
        raise Problem("busy", "图像处理中断,请重试 the work on the picture was interrupted, try again") from error
