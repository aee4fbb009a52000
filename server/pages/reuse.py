"""Re-used photos for people at a desk: groups of evidence that one picture connects, and two of them side by side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from flask import render_template, request
from sqlalchemy import select

from schemas.values import parse_time
from server import reuse as engine
from server.api.pull import number_argument
from server.auth import me, needs_role
from server.db import db, reading
from server.listing import sees
from server.pages.entrance import bp
from server.pages.lookups import learn_names
from server.pages.values import apart_m
from sync.kept import Kept, kept_from
from sync.records import RECORD

PAGE = 20
OVERSEERS = ("reviewer", "supervisor", "auditor")


@bp.get("/reuse")
@needs_role(*OVERSEERS)
def reuse() -> str:
    """The groups within the person's scopes, newest first, in pages."""
    before = number_argument("cursor", 0, least=1, most=2**62) if request.args.get("cursor") else None
    with reading():
        groups, following = engine.groups(db.session(), me().scopes, PAGE, before)
        evidence = [kept for group in groups for kept, _ in group.members]
        return render_template("reuse.html", groups=groups, page={"next": following}, about=_about(evidence))


@bp.get("/reuse/<evidence_id>/<other_id>")
@needs_role(*OVERSEERS)
def reuse_pair(evidence_id: str, other_id: str) -> str:
    """Two evidence records with one picture, side by side; the first is turned to look like the other."""
    with reading():
        one, other, tie = engine.pair(db.session(), me().scopes, evidence_id, other_id)
        apart: timedelta = parse_time(one.fields["captured_at"]) - parse_time(other.fields["captured_at"])
        return render_template("reuse_pair.html", pair=(one, other), tie=tie, about=_about([one, other]),
                               days=abs(apart).total_seconds() / 86_400,
                               metres=apart_m(one.fields.get("position"), other.fields.get("position")))


def _about(evidence: Iterable[Kept]) -> dict[str, Kept]:
    """What the evidence is about, by id, as far as the person may see it; names of people are learnt on the way."""
    evidence = list(evidence)
    learn_names(kept.created_by for kept in evidence)
    rows = db.session.execute(select(RECORD).where(RECORD.c.id.in_({kept.fields["about"]["id"] for kept in evidence})))
    return {row["id"]: kept_from(row) for row in rows.mappings() if sees(me().scopes, row["type"], row["scope"])}
