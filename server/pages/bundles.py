"""Evidence bundles from a record's page: the export, with its reason, and the exports so far."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from sqlalchemy import select

from schemas.problems import Problem
from schemas.reviews import BundleAsked
from server.auth import me, needs_role
from server.bundles.case import ROOTS
from server.bundles.export import EXPORTERS, bundle
from server.db import db
from server.pages.entrance import bp, loaded
from server.pages.lookups import learn_names
from sync.kept import Kept
from sync.models import JournalEntry


@bp.post("/reviews/<record_id>/bundle")
@needs_role(*EXPORTERS)
def export_bundle(record_id: str) -> Response:
    """The bundle as a download; a person says what for."""
    asked = loaded(BundleAsked(), {name: request.form.get(name, "") for name in ("profile", "reason")})
    if not asked["reason"].strip():
        raise Problem("reason_required", "请写明导出用途 what is it exported for? (reason)",
                      errors={"reason": ["required"]})
    return bundle(record_id, asked["profile"], asked["reason"].strip())


def exports_of(kept: Kept) -> list[dict[str, Any]] | None:
    """`{at, by, profile, sha256?}` of the record's exports, newest first; without a digest one that was not sent whole.
    None where the one who asks may not export it."""
    if kept.type not in ROOTS or not me().has_role(*EXPORTERS):
        return None
    entries = db.session.execute(select(JournalEntry).where(
        JournalEntry.about == kept.id, JournalEntry.kind.in_(("export", "exported")))
        .order_by(JournalEntry.index.desc())).scalars().all()
    sent = {entry.body["bundle"]: entry.body["sha256"] for entry in entries if entry.kind == "exported"}
    learn_names(entry.actor for entry in entries)
    return [{"at": entry.at, "by": entry.actor, "profile": entry.body["profile"],
             "sha256": sent.get(entry.body["bundle"])} for entry in entries if entry.kind == "export"]
