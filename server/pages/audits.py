"""Audits of the whole installation, for auditors and admins: what was checked and what was found, in words."""

from __future__ import annotations

from flask import render_template, url_for
from werkzeug.wrappers import Response

from schemas.problems import Problem
from server import nightly, timestamps
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.house import house
from server.models import AuditRun
from server.pages.entrance import bp, done, go
from server.pages.lookups import learn_names

SHOWN = 60


@bp.get("/audits")
@needs_role("auditor", "admin")
def audits() -> str:
    """The newest audits, newest first, and the button for another."""
    with reading():
        found = nightly.runs(db.session(), SHOWN)
        learn_names(run.asked_by for run in found)
        return render_template("audits.html", runs=[(run, nightly.problems_of(run)) for run in found],
                               at=house().settings.verify_at, percent=house().settings.verify_read_percent,
                               stamped=timestamps.newest(db.session()), tsa=house().settings.tsa_url)


@bp.post("/audits")
@needs_role("admin")
def run_audit() -> Response:
    """Ask the worker for an audit now; one that is under way already is shown instead."""
    with writing() as door:
        run_id = nightly.ask(door, me().user_id).id
    return done(url_for("pages.audit", run_id=run_id), "已要求核验", "Audit asked for")


@bp.get("/audits/<uuid:run_id>")
@needs_role("auditor", "admin")
def audit(run_id: object) -> str:
    """One audit: its counts and its faults, or how far it has come."""
    with reading():
        run = _run(run_id)
        learn_names([run.asked_by])
        return render_template("audit.html", run=run, number=nightly.problems_of(run), before=_before(run))


@bp.get("/audits/<uuid:run_id>/progress")
@needs_role("auditor", "admin")
def audit_progress(run_id: object) -> str | Response:
    """How far an audit has come, to be asked again; leads to its page once it has ended."""
    with reading():
        run = _run(run_id)
        if run.ended_at is not None:
            return go(url_for("pages.audit", run_id=run.id))
        return render_template("audit_progress.html", run=run, before=_before(run))


def _run(run_id: object) -> AuditRun:
    run = db.session.get(AuditRun, str(run_id))
    if run is None:
        raise Problem("not_found")
    return run


def _before(run: AuditRun) -> int:
    """How much the last whole audit looked at: about as much as this one will."""
    last = nightly.newest(db.session())
    return sum((last.checked or {}).values()) if last and last.id != run.id else 0
