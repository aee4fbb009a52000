"""The delivery receipt: what the server has of a device, signed with the journal's key (docs/verify-a-receipt.md)."""

from __future__ import annotations

from flask import Response

from schemas.values import stamp
from server.api import blueprint
from server.auth import me, must_be_device
from server.db import db, reading
from server.house import house
from server.wire import answer
from sync.delivery import arrived_changes, statement_of, verified_photos
from sync.statements import changes_root, photos_root, sign_statement

blp = blueprint("receipts", "送达回执 Delivery receipts")


@blp.get("/sync/receipt")
@blp.response(200, {}, content_type="text/plain")
def get_receipt() -> Response:
    """A signed note: numbering, outcomes, verified photos, epoch and journal as they stand now."""
    device, state = must_be_device(me()), house()
    with reading():
        statement = statement_of(db.session(), device.id, state.signer.origin, stamp(state.clock()))
    return Response(sign_statement(statement, state.signer.origin, state.signer.key),
                    content_type="text/plain; charset=utf-8")


@blp.get("/sync/receipt/changes")
@blp.response(200)
def list_changes() -> Response:
    """Number, id and SHA-256 of each change of the caller, by number, whose root a receipt signs."""
    device = must_be_device(me())
    with reading():
        changes = list(arrived_changes(db.session(), device.id))
    return answer({"changes": changes, "root": changes_root(changes)})


@blp.get("/sync/receipt/photos")
@blp.response(200)
def list_photos() -> Response:
    """The digests of the caller's verified photos, sorted, whose root a receipt signs."""
    device = must_be_device(me())
    with reading():
        photos = verified_photos(db.session(), device.user_id)
    return answer({"photos": photos, "root": photos_root(photos)})
