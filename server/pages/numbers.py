"""Identity and phone numbers in full, for those who have the right and say why; each opening is journalled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, render_template, request

from schemas.retention import WhySaid
from server.auth import me, needs_role
from server.db import db, writing
from server.listing import visible_record
from server.pages.entrance import bp, loaded
from server.reference import rights
from server.rules.masking import displayed
from sync.kept import Kept

OPENED = "numbers_opened"


@bp.post("/records/<record_type>/<record_id>/numbers")
@needs_role(*rights()["number_open"])
def numbers(record_type: str, record_id: str) -> str:
    """The fields of the record in which a number is masked, in full."""
    kept = visible_record(db.session(), me().scopes, record_type, record_id)
    reason = loaded(WhySaid(), {"reason": request.form.get("reason", "")})["reason"]
    found = hidden_in(kept)
    with writing() as door:
        door.record_entry(OPENED, me().user_id, kept.id, {"type": kept.type, "version": kept.version,
                                                          "fields": sorted(found)}, aside={"reason": reason})
    g.numbers_opened = True
    return render_template("numbers_said.html", found=found)


def hidden_in(kept: Kept) -> Mapping[str, Any]:
    """The fields in which a number is masked on pages."""
    return {name: value for name, value in kept.fields.items() if displayed(value) != value}


def may_open(kept: Kept) -> bool:
    """May the one who asks open numbers of this record, and has it any?"""
    return me().has_role(*rights()["number_open"]) and bool(hidden_in(kept))
