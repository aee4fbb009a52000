"""The review queue, claims and decisions (protocol section 10), for people at a desk."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from schemas.problems import Problem
from schemas.reviews import STATES, DecisionGiven
from schemas.values import stamp
from server import reviews as engine
from server.auth import me, must_have_role, needs_role
from server.db import db, reading, writing
from server.house import house
from server.pages.entrance import bp, done, loaded
from server.pages.evidence import evidence_about
from server.pages.inspections import made_in
from server.pages.lookups import learn_names
from server.pages.words import words
from server.reference import table
from sync.kept import Kept, kept_from
from sync.records import RECORD

PAGE = 30


@bp.get("/reviews")
@needs_role("reviewer", "supervisor", "auditor")
def reviews() -> str:
    """The queue, riskiest and oldest first, with counts by state."""
    state = request.args.get("state", "open")
    if state not in STATES:
        raise Problem("invalid_request", "没有这种审核状态 There is no such state of review",
                      errors={"state": ["unknown"]})
    with reading():
        page = _queue(state, PAGE, request.args.get("cursor") or None)
        rows = _rows(page["items"])
        return render_template("reviews.html", page=page, rows=rows, state=state, states=STATES)


@bp.post("/reviews/<record_id>/claim")
@needs_role("reviewer")
def claim(record_id: str) -> Response:
    """Lease the record for 15 minutes and open it."""
    with writing() as door:
        kept = engine.under_review(door, me().writer(), record_id)
        engine.claim(door, me().writer(), record_id)
    return done(url_for("pages.record", record_type=kept.type, record_id=record_id), "已认领 15 分钟",
                "Claimed for 15 minutes")


@bp.post("/reviews/<record_id>/decisions")
@needs_role("reviewer")
def decide(record_id: str) -> Response:
    """Decide on the version that was looked at, then go on to the next in the queue."""
    given = loaded(DecisionGiven(), given_in(request.form))
    with writing() as door:
        made = engine.decide(door, me().writer(), record_id, given)
    following = _next(record_id)
    where = url_for("pages.record", record_type=following["record_type"], record_id=following["record_id"]) \
        if following and "then_next" in request.form else url_for("pages.reviews")
    return done(where, *words()["review", made["state"]])


def given_in(form: MultiDict[str, str]) -> dict[str, Any]:
    """A decision as the API takes it: what was ticked, and the photos that have a reason."""
    photos = [{"evidence_id": name.partition(".")[2], "reason": text.strip()} for name, text in form.items()
              if name.startswith("photo.") and text.strip()]
    version = form.get("version", "")
    return {"decision": form.get("decision", ""), "version": int(version) if version.isdecimal() else 0,
            "reasons": form.getlist("reasons"), "note": form.get("note", "").strip(),
            "photos": photos if form.get("decision") != "accept" else []}


def review_of(kept: Kept) -> dict[str, Any] | None:
    """What the record's page says of its review, and why the one who asks may not decide; None outside the queue."""
    state = kept.marks.get("review_state")
    if state is None:
        return None
    lease = engine.live_claims(db.session(), [kept.id], stamp(house().clock())).get(kept.id)
    others = lease is not None and lease.user_id != me().user_id
    barred = "role" if not me().has_role("reviewer") or not me().covers(kept.scope) else \
        "own_work" if me().user_id in engine.captors(db.session(), kept) else \
        "decided" if state not in ("open", "escalated") else "claimed" if others else None
    return {"state": state, "risk": kept.marks.get("risk") or 0, "lease": lease, "barred": barred,
            "reasons": table("return_reasons") if barred is None else ()}


def _queue(state: str, limit: int, cursor: str | None = None) -> dict[str, Any]:
    return engine.queue(db.session(), me().scopes, stamp(house().clock()), state=state, scope=None, limit=limit,
                        cursor=cursor)


def _rows(waiting: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The queue's items with their records and first photos, and those of the inspection in which one was found."""
    ids = [item["record_id"] for item in waiting]
    found = {row["id"]: kept_from(row) for row in db.session.execute(
        select(RECORD).where(RECORD.c.id.in_(ids))).mappings()}
    photos: dict[str, list[Kept]] = {}
    for kept in evidence_about(ids):
        photos.setdefault(kept.fields["about"]["id"], []).append(kept)
    items = {finding: made.photos for finding, made in made_in(found.values()).items()}
    learn_names(item["claimed_by"] for item in waiting)
    learn_names(kept.fields.get("inspector_id") for kept in found.values())
    return [_row(item, found[item["record_id"]], photos.get(item["record_id"], []), items.get(item["record_id"], []))
            for item in waiting]


def _row(item: dict[str, Any], kept: Kept, photos: list[Kept], beside: list[Kept]) -> dict[str, Any]:
    flags = [*item["flags"], *(flag for photo in beside for flag in photo.fields.get("flags") or ())]
    return {**item, "kept": kept, "photos": photos, "beside": beside, "thumb": _thumb([*photos, *beside]),
            "codes": list(dict.fromkeys(flag["code"] for flag in flags))}


def _thumb(photos: list[Kept]) -> str | None:
    """The digest of the first photo that can be shown."""
    return next((kept.fields["sha256"] for kept in photos
                 if (kept.fields.get("media") or {}).get("state") == "verified"), None)


def _next(done_id: str) -> dict[str, Any] | None:
    """The next open record that nobody else has claimed and that is not the one just decided."""
    must_have_role("reviewer")
    with reading():
        for item in _queue("open", PAGE)["items"]:
            if item["record_id"] != done_id and item["claimed_by"] in (None, me().user_id):
                return dict(item)
    return None
