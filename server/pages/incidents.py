"""Incidents: forks and gaps of capture chains, work that a revoked device had not delivered; explained and closed."""

from __future__ import annotations

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from schemas.office import CommandGiven
from server.api.records import write
from server.auth import me, needs_role
from server.db import db, reading
from server.incidents import KINDS, incident_page
from server.pages.commands import offers
from server.pages.entrance import bp, done, loaded
from server.pages.lookups import learn_names

PAGE = 50
FILTERS = ("kind", "scope", "state", "cursor")
ONLOOKERS = ("supervisor", "auditor", "admin")


@bp.get("/incidents")
@needs_role(*ONLOOKERS)
def incidents() -> str:
    """What is not settled, or what is, in the person's scopes."""
    asked = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    with reading():
        found, following = incident_page(db.session(), me().scopes, asked, PAGE)
        learn_names(one for kept in found for one in (kept.fields["device"], kept.fields["inspector_id"]))
        asked.pop("cursor", None)
        return render_template("incidents.html", incidents=[(kept, offers(kept)) for kept in found], kinds=KINDS,
                               asked=asked, following=following)


@bp.post("/incidents/<record_id>")
@needs_role("supervisor")
def settle_incident(record_id: str) -> Response:
    """Explain or close it, in the state that was looked at."""
    given = loaded(CommandGiven(), {
        "name": request.form.get("name", ""), "args": {"reason": request.form.get("reason", "").strip()},
        "expect": {"status": request.form.get("expect_status", "")}})
    write("incident", record_id, op="command", command=given)
    return done(url_for("pages.incidents"), "已记入", "Recorded")
