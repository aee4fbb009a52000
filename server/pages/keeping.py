"""保管与处置: what is due, legal holds, disposals and erasures, with the forms by which people propose and decide."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from schemas.retention import Decided, DisposalGiven, DueAsked, ErasureGiven, HoldGiven, WhySaid
from schemas.values import parse_time, stamp
from server.api import disposals as disposals_api
from server.api import erasures as erasures_api
from server.api import legal_holds as holds_api
from server.auth import me, needs_role
from server.db import db, reading
from server.house import house
from server.keeping import disposals, erasures, orders, periods
from server.pages.entrance import bp, done, loaded
from server.pages.lookups import learn_names
from server.pages.values import from_beijing
from server.reference import rights, table
from sync.kept import Kept
from sync.models import Record
from sync.scope import view_of

PAGE = 50
SHOWN = 30
OPEN, SETTLED = ("proposed", "approved"), ("refused", "done")
FILTERS = ("class", "scope", "due_before", "cursor")


@bp.get("/keeping")
@needs_role(*rights()["retention_read"])
def keeping() -> str:
    """Records in the person's scopes whose period is over; what was proposed, held and erased."""
    typed = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    if "due_before" in typed:
        typed["due_before"] = from_beijing(typed["due_before"], "due_before")
    asked = loaded(DueAsked(), typed)
    before = asked.get("due_before")
    with reading():
        session = db.session()
        due, following = periods.due_page(session, me().scopes, {
            "class": asked.get("class_"), "scope": asked.get("scope"), "cursor": asked.get("cursor"),
            "due_before": parse_time(before) if before else None}, house().clock(), PAGE)
        photos = periods.photos_about(session, [kept.id for kept, _ in due])
        held = orders.held(session, [kept.id for kept, _ in due])
        proposed = [disposals.shown(session, made) for made in disposals_api.seen(OPEN, SHOWN)]
        settled = [disposals.shown(session, made) for made in disposals_api.seen(SETTLED, SHOWN)]
        to_erase, erased = erasures_api.seen(OPEN, SHOWN), erasures_api.seen(SETTLED, SHOWN)
        holds = orders.holds_on(session, view_of(session, me().scopes).condition())
        learn_names([*(one[name] for one in (*proposed, *settled) for name in ("proposed_by", "decided_by")),
                     *(one for made in (*to_erase, *erased) for one in (made.proposed_by, made.decided_by)),
                     *(hold.placed_by for hold in holds)])
        return render_template(
            "keeping.html", due=due, following=following, photos=photos, held=held, proposed=proposed, settled=settled,
            to_erase=to_erase, erased=erased, holds=holds, classes=table("retention"), asked={
                name: request.args.get(name, "") for name in FILTERS[:3]}, may=_may, now=stamp(house().clock()))


@bp.post("/keeping/disposals")
@needs_role(*rights()["disposal_propose"])
def propose_disposal() -> Response:
    """Propose to dispose of the photos of the ticked records."""
    disposals_api.proposed(loaded(DisposalGiven(), {"records": request.form.getlist("record"),
                                                    "reason": request.form.get("reason", "")}))
    return done(url_for("pages.keeping"), "已提出,待他人审批", "Proposed; somebody else decides")


@bp.post("/keeping/disposals/<disposal_id>")
@needs_role(*rights()["disposal_approve"])
def decide_disposal(disposal_id: str) -> Response:
    """Approve or refuse it."""
    disposals_api.decided(disposal_id, *_decision())
    return done(url_for("pages.keeping"), "已审批", "Decided")


@bp.post("/keeping/erasures/<erasure_id>")
@needs_role(*rights()["erasure_approve"])
def decide_erasure(erasure_id: str) -> Response:
    """Approve or refuse it."""
    erasures_api.decided(erasure_id, *_decision())
    return done(url_for("pages.keeping"), "已审批", "Decided")


@bp.post("/keeping/legal-holds/<hold_id>/release")
@needs_role(*rights()["legal_hold_release"])
def release_hold(hold_id: str) -> Response:
    """Let it go."""
    holds_api.released(hold_id, loaded(WhySaid(), {"reason": request.form.get("reason", "")})["reason"])
    return done(url_for("pages.keeping"), "保全已解除", "The hold is released")


@bp.post("/records/<record_type>/<record_id>/legal-holds")
@needs_role(*rights()["legal_hold_place"])
def place_hold(record_type: str, record_id: str) -> Response:
    """Hold the record."""
    form, until = request.form, request.form.get("until", "").strip()
    given = {"reason": form.get("reason", ""), "ordered_by": form.get("ordered_by", "").strip(),
             "document_no": form.get("document_no", "").strip() or None,
             "until": from_beijing(until, "until") if until else None}
    holds_api.placed(record_type, record_id, loaded(HoldGiven(), given))
    return done(url_for("pages.record", record_type=record_type, record_id=record_id), "已保全", "The record is held")


@bp.post("/records/<record_type>/<record_id>/erasures")
@needs_role(*rights()["erasure_propose"])
def propose_erasure(record_type: str, record_id: str) -> Response:
    """Propose to erase the ticked fields."""
    given = loaded(ErasureGiven(), {
        "record_type": record_type, "record_id": record_id, "fields": request.form.getlist("field"),
        "ground": request.form.get("ground", ""), "reason": request.form.get("reason", "")})
    erasures_api.proposed({**given, "fields": given["fields_"]})
    return done(url_for("pages.keeping"), "已提出,待他人审批", "Proposed; somebody else decides")


def keeping_of(kept: Kept) -> dict[str, Any]:
    """What a record's page shows of its keeping: the period, and to those who may, holds and what can be proposed."""
    session = db.session()
    found: dict[str, Any] = {"retention": periods.retentions(session, [kept], house().clock())[kept.id], "may": _may}
    if _may("legal_hold_read"):
        found |= {"holds": orders.holds_on(session, Record.id == kept.id), "is_held": orders.held(session, [kept.id])}
        learn_names(hold.placed_by for hold in found["holds"])
    if _may("erasure_propose"):
        found |= {"erasable": erasures.fields_of(kept), "grounds": erasures.grounds().values()}
    return found


def _may(right: str) -> bool:
    return me().has_role(*rights()[right])


def _decision() -> tuple[bool, str]:
    note: str = loaded(Decided(), {"note": request.form.get("note", "")})["note"]
    return request.form.get("decision") == "approve", note
